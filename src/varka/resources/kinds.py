"""The kinds we know: how they are called, which versions are served, what their objects decode
to."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pkgutil import get_data
from typing import Any

import msgspec
from msgspec import Struct

INSTALL_GROUP = "install.istio.io"
"""Of files for the command line (IstioOperator), not for an API server."""


class Kind(Struct, frozen=True):
    """One kind of object, whatever its version."""

    group: str
    name: str
    plural: str
    singular: str
    short_names: tuple[str, ...]
    namespaced: bool
    versions: tuple[str, ...]
    """Served ones."""
    storage: str
    """The version objects are shown in."""
    model: str = ""
    """`module:Class` under `resources.model`; "" for kinds that are accepted but not
    interpreted."""

    @property
    def is_istio(self) -> bool:
        """Whether it is one of Istio's that we know, with a schema and a model."""
        istio = self.group.endswith(".istio.io") and self.group != INSTALL_GROUP
        return istio and bool(self.model)

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.storage}" if self.group else self.storage

    def model_class(self) -> type[msgspec.Struct] | None:
        """What `Resource.spec` is; None: the object as plain values."""
        return _model_class(self.model) if self.model else None


@cache
def _model_class(model: str) -> type[msgspec.Struct]:
    module, _, name = model.partition(":")
    found: type[msgspec.Struct] = getattr(import_module(f"varka.resources.model.{module}"), name)
    return found


_ISTIO_MODULES = {
    "networking.istio.io": "networking",
    "security.istio.io": "security",
    "telemetry.istio.io": "telemetry",
    "extensions.istio.io": "extensions",
}
_TYPED = """
/v1            Namespace       namespaces       ns       -
/v1            Node            nodes            no       -
/v1            Service         services         svc      ns
/v1            Endpoints       endpoints        ep       ns
/v1            Pod             pods             po       ns
/v1            ServiceAccount  serviceaccounts  sa       ns
/v1            ConfigMap       configmaps       cm       ns
/v1            Secret          secrets          -        ns
discovery.k8s.io/v1   EndpointSlice  endpointslices  -       ns
apps/v1        Deployment      deployments      deploy   ns
apps/v1        StatefulSet     statefulsets     sts      ns
apps/v1        DaemonSet       daemonsets       ds       ns
apps/v1        ReplicaSet      replicasets      rs       ns
batch/v1       Job             jobs             -        ns
batch/v1       CronJob         cronjobs         cj       ns
networking.k8s.io/v1  Ingress  ingresses        ing      ns
networking.k8s.io/v1  IngressClass  ingressclasses  -    -
"""
_RAW = """
/v1            PersistentVolumeClaim  persistentvolumeclaims  pvc  ns
/v1            PersistentVolume  persistentvolumes  pv   -
/v1            ReplicationController  replicationcontrollers  rc  ns
/v1            ResourceQuota   resourcequotas   quota    ns
/v1            LimitRange      limitranges      limits   ns
/v1            Event           events           ev       ns
/v1            PodTemplate     podtemplates     -        ns
apps/v1        ControllerRevision  controllerrevisions  -  ns
autoscaling/v2,v1  HorizontalPodAutoscaler  horizontalpodautoscalers  hpa  ns
policy/v1      PodDisruptionBudget  poddisruptionbudgets  pdb  ns
rbac.authorization.k8s.io/v1  Role  roles  -  ns
rbac.authorization.k8s.io/v1  RoleBinding  rolebindings  -  ns
rbac.authorization.k8s.io/v1  ClusterRole  clusterroles  -  -
rbac.authorization.k8s.io/v1  ClusterRoleBinding  clusterrolebindings  -  -
networking.k8s.io/v1  NetworkPolicy  networkpolicies  netpol  ns
storage.k8s.io/v1  StorageClass  storageclasses  sc  -
scheduling.k8s.io/v1  PriorityClass  priorityclasses  pc  -
coordination.k8s.io/v1  Lease  leases  -  ns
certificates.k8s.io/v1  CertificateSigningRequest  certificatesigningrequests  csr  -
certificates.k8s.io/v1beta1,v1alpha1  ClusterTrustBundle  clustertrustbundles  -  -
apiextensions.k8s.io/v1  CustomResourceDefinition  customresourcedefinitions  crd,crds  -
apiregistration.k8s.io/v1  APIService  apiservices  -  -
admissionregistration.k8s.io/v1  MutatingWebhookConfiguration  mutatingwebhookconfigurations  -  -
admissionregistration.k8s.io/v1  ValidatingWebhookConfiguration  validatingwebhookconfigurations  -  -
admissionregistration.k8s.io/v1  ValidatingAdmissionPolicy  validatingadmissionpolicies  -  -
admissionregistration.k8s.io/v1  ValidatingAdmissionPolicyBinding  validatingadmissionpolicybindings  -  -
multicluster.x-k8s.io/v1alpha1  ServiceExport  serviceexports  -  ns
multicluster.x-k8s.io/v1alpha1  ServiceImport  serviceimports  -  ns
gateway.networking.k8s.io/v1,v1beta1  GatewayClass  gatewayclasses  gc  -
gateway.networking.k8s.io/v1,v1beta1  Gateway  gateways  gtw  ns
gateway.networking.k8s.io/v1,v1beta1  HTTPRoute  httproutes  -  ns
gateway.networking.k8s.io/v1,v1alpha2  GRPCRoute  grpcroutes  -  ns
gateway.networking.k8s.io/v1,v1alpha3,v1alpha2  TLSRoute  tlsroutes  -  ns
gateway.networking.k8s.io/v1,v1alpha2  TCPRoute  tcproutes  -  ns
gateway.networking.k8s.io/v1,v1alpha2  UDPRoute  udproutes  -  ns
gateway.networking.k8s.io/v1,v1beta1,v1alpha2  ReferenceGrant  referencegrants  refgrant  ns
gateway.networking.k8s.io/v1,v1alpha3,v1alpha2  BackendTLSPolicy  backendtlspolicies  btlspolicy  ns
gateway.networking.k8s.io/v1,v1alpha1  ListenerSet  listenersets  -  ns
gateway.networking.x-k8s.io/v1alpha1  XListenerSet  xlistenersets  lset  ns
gateway.networking.x-k8s.io/v1alpha1  XBackendTrafficPolicy  xbackendtrafficpolicies  -  ns
gateway.networking.x-k8s.io/v1alpha1  XMesh  xmeshes  -  -
inference.networking.k8s.io/v1,v1alpha2  InferencePool  inferencepools  infpool  ns
inference.networking.x-k8s.io/v1alpha2  InferenceObjective  inferenceobjectives  infobj  ns
inference.networking.x-k8s.io/v1alpha2  InferenceModel  inferencemodels  infmodel  ns
inference.networking.x-k8s.io/v1alpha2  InferencePool  inferencepools  xinfpool  ns
install.istio.io/v1alpha1  IstioOperator  istiooperators  iop  ns
monitoring.coreos.com/v1  ServiceMonitor  servicemonitors  smon  ns
monitoring.coreos.com/v1  PodMonitor  podmonitors  pmon  ns
monitoring.coreos.com/v1  PrometheusRule  prometheusrules  promrule  ns
monitoring.coreos.com/v1  Prometheus  prometheuses  prom  ns
cert-manager.io/v1  Certificate  certificates  cert,certs  ns
cert-manager.io/v1  Issuer  issuers  -  ns
cert-manager.io/v1  ClusterIssuer  clusterissuers  -  -
gateway.envoyproxy.io/v1alpha1  EnvoyProxy  envoyproxies  -  ns
argoproj.io/v1alpha1  Rollout  rollouts  ro  ns
argoproj.io/v1alpha1  Application  applications  app,apps  ns
argoproj.io/v1alpha1  ApplicationSet  applicationsets  appset,appsets  ns
argoproj.io/v1alpha1  AppProject  appprojects  appproj  ns
spire.spiffe.io/v1alpha1  ClusterSPIFFEID  clusterspiffeids  -  -
tekton.dev/v1,v1beta1,v1alpha1  Task  tasks  -  ns
tekton.dev/v1,v1beta1,v1alpha1  Pipeline  pipelines  -  ns
tekton.dev/v1,v1beta1,v1alpha1  PipelineRun  pipelineruns  pr  ns
tekton.dev/v1,v1beta1,v1alpha1  TaskRun  taskruns  tr  ns
"""


@cache
def istio_crds() -> tuple[Mapping[str, Any], ...]:
    """Istio's CustomResourceDefinitions in short form; `spec` is the schema of the field of that
    name."""
    return tuple(msgspec.json.decode(get_data("varka.resources", "data/istio-crds.json") or b"[]"))


@cache
def all_kinds() -> tuple[Kind, ...]:
    """Every kind: Istio's first, so that `gw` and `gateways` mean Istio's."""
    return (*_istio(), *_table(_TYPED, typed=True), *_table(_RAW, typed=False))


def _istio() -> tuple[Kind, ...]:
    return tuple(
        Kind(
            group=crd["group"],
            name=crd["kind"],
            plural=crd["plural"],
            singular=crd["singular"],
            short_names=tuple(crd["shortNames"]),
            namespaced=crd["namespaced"],
            versions=tuple(crd["versions"]),
            storage=crd["storage"],
            model=_model_of(crd["group"], crd["kind"]),
        )
        for crd in istio_crds()
    )


def _model_of(group: str, kind: str) -> str:
    module = "proxyconfig" if kind == "ProxyConfig" else _ISTIO_MODULES[group]
    return f"{module}:{kind}"


def _table(text: str, *, typed: bool) -> tuple[Kind, ...]:
    kinds = []
    for line in text.strip().splitlines():
        api, name, plural, short, scope = line.split()
        group, _, versions = api.partition("/")
        served = tuple(versions.split(","))
        short_names = () if short == "-" else tuple(short.split(","))
        model = f"kubernetes:{name}" if typed else ""
        kinds.append(
            Kind(
                group,
                name,
                plural,
                name.lower(),
                short_names,
                scope == "ns",
                served,
                served[0],
                model,
            )
        )
    return tuple(kinds)


@cache
def _by_identity() -> Mapping[tuple[str, str], Kind]:
    return {(kind.group, kind.name): kind for kind in all_kinds()}


def lookup(group: str, name: str) -> Kind | None:
    """The kind of an object: `lookup("networking.istio.io", "Gateway")`."""
    return _by_identity().get((group, name))


def is_foreign(group: str) -> bool:
    """Whether a group is none of Istio's or Kubernetes' core, nor a misspelt one of these: its
    kinds are not ours to judge."""
    ours = {
        kind.group for kind in all_kinds() if kind.model or kind.group.endswith(".istio.io")
    } | {"gateway.networking.k8s.io"}
    return (
        bool(group)
        and group not in ours
        and not get_close_matches(group, ours - {""}, n=1, cutoff=0.85)
    )


def foreign(group: str, version: str, name: str) -> Kind:
    """A kind that we know nothing about."""
    return Kind(group, name, name.lower(), name.lower(), (), True, (version,), version)


@cache
def _by_word() -> Mapping[str, Kind]:
    words: dict[str, Kind] = {}
    for kind in all_kinds():
        names = (kind.name.lower(), kind.plural, kind.singular, *kind.short_names)
        qualified = [f"{name}.{kind.group}" for name in names[:3] if kind.group]
        versioned = [
            f"{kind.plural}.{version}.{kind.group}" for version in kind.versions if kind.group
        ]
        for word in (*names, *qualified, *versioned):
            words.setdefault(word, kind)
    return words


def find(word: str) -> Kind | None:
    """The kind that a user means: `vs`, `virtualservice`, `VirtualServices`,
    `virtualservices.networking.istio.io`."""
    return _by_word().get(word.lower())


def suggest(word: str) -> str:
    """The word for a kind that is nearest to `word`, "" when none is near."""
    return next(iter(get_close_matches(word.lower(), _by_word(), n=1)), "")


def suggest_kind(group: str, name: str) -> str:
    """What was probably meant by an unknown group and kind: `apiVersion: ..., kind: ...`, "" when
    nothing is near."""
    same_name = [kind for kind in all_kinds() if kind.name.lower() == name.lower()]
    if same_name:
        kind = max(same_name, key=lambda k: (k.group == group, k.is_istio))
        return f"apiVersion: {kind.api_version}, kind: {kind.name}"
    near = get_close_matches(
        name,
        [k.name for k in all_kinds() if k.group == group] or [k.name for k in all_kinds()],
        n=1,
    )
    found = next(
        (k for k in all_kinds() if near and k.name == near[0] and k.group == group), None
    ) or next((k for k in all_kinds() if near and k.name == near[0]), None)
    return f"apiVersion: {found.api_version}, kind: {found.name}" if found else ""
