from __future__ import annotations

import pytest

from varka.mesh.effective_proxyconfig import effective_proxy_config


def config(name: str, spec: str, namespace: str = "default") -> str:
    metadata = f"metadata: {{name: {name}, namespace: {namespace}}}"
    return f"apiVersion: networking.istio.io/v1beta1\nkind: ProxyConfig\n{metadata}\nspec: {spec}"


@pytest.fixture
def effective(world):
    def find(
        *texts: str,
        namespace: str = "default",
        annotation: dict[str, object] | None = None,
        **labels: str,
    ):
        world.apply(*texts)
        configs = world.state.of("ProxyConfig", "networking.istio.io")
        return effective_proxy_config(
            world.config.default_config, configs, "istio-system", namespace, labels, annotation
        )

    return find


ROOT = config("root", "{concurrency: 1, environmentVariables: {A: root, B: root}}", "istio-system")
OWN = config("own", "{concurrency: 2, environmentVariables: {A: own}}")
CHOSEN = config(
    "chosen", "{concurrency: 4, image: {imageType: distroless}, selector: {matchLabels: {app: x}}}"
)


def test_more_specific_configurations_lie_over_others(effective) -> None:
    found = effective(ROOT, OWN, CHOSEN)
    assert (found.concurrency, dict(found.proxy_metadata)) == (2, {"A": "own", "B": "root"})
    assert found.status_port == 15020
    chosen = effective(app="x")
    assert (chosen.concurrency, chosen.image.image_type) == (4, "distroless")
    assert effective(namespace="other").concurrency == 1
    assert effective(namespace="istio-system", app="x").concurrency == 1


def test_the_annotation_lies_between_the_namespaces_and_the_workloads_configuration(
    effective,
) -> None:
    annotation = {"concurrency": 3, "statusPort": 1}
    assert effective(ROOT, OWN, CHOSEN, annotation=annotation).concurrency == 3
    chosen = effective(annotation=annotation, app="x")
    assert (chosen.concurrency, chosen.status_port) == (4, 1)
    assert effective(annotation={"concurrency": "many"}).concurrency == 2
