from __future__ import annotations

from collections.abc import Mapping

from tests.mesh.conftest import ChangingMesh
from tests.present import present

from varka.base.names import Namespace
from varka.mesh.effective_proxyconfig import effective_proxy_config
from varka.resources.model.mesh import ProxyConfig


def config(name: str, spec: str, namespace: str = "default") -> str:
    metadata = f"metadata: {{name: {name}, namespace: {namespace}}}"
    return f"apiVersion: networking.istio.io/v1beta1\nkind: ProxyConfig\n{metadata}\nspec: {spec}"


def effective(
    world: ChangingMesh,
    *texts: str,
    namespace: str = "default",
    annotation: Mapping[str, object] | None = None,
    **labels: str,
) -> ProxyConfig:
    """What a workload with these labels gets after these objects are applied as well."""
    world.apply(*texts)
    return effective_proxy_config(
        present(world.config.default_config),
        world.state.of("ProxyConfig", "networking.istio.io"),
        Namespace("istio-system"),
        Namespace(namespace),
        labels,
        annotation,
    )


ROOT = config("root", "{concurrency: 1, environmentVariables: {A: root, B: root}}", "istio-system")
OWN = config("own", "{concurrency: 2, environmentVariables: {A: own}}")
CHOSEN = config(
    "chosen", "{concurrency: 4, image: {imageType: distroless}, selector: {matchLabels: {app: x}}}"
)


def test_more_specific_configurations_lie_over_others(world: ChangingMesh) -> None:
    found = effective(world, ROOT, OWN, CHOSEN)
    assert (found.concurrency, dict(found.proxy_metadata)) == (2, {"A": "own", "B": "root"})
    assert found.status_port == 15020
    chosen = effective(world, app="x")
    assert (chosen.concurrency, present(chosen.image).image_type) == (4, "distroless")
    assert effective(world, namespace="other").concurrency == 1
    assert effective(world, namespace="istio-system", app="x").concurrency == 1


def test_the_annotation_lies_between_the_namespaces_and_the_workloads_configuration(
    world: ChangingMesh,
) -> None:
    annotation = {"concurrency": 3, "statusPort": 1}
    assert effective(world, ROOT, OWN, CHOSEN, annotation=annotation).concurrency == 3
    chosen = effective(world, annotation=annotation, app="x")
    assert (chosen.concurrency, chosen.status_port) == (4, 1)
    assert effective(world, annotation={"concurrency": "many"}).concurrency == 2
