"""Messages of `istio.extensions.v1alpha1`. Made by tools/make_models.py: change that, not this."""

from __future__ import annotations

from enum import StrEnum

from varka.resources.model import selectors
from varka.resources.model.base import Json, Model


class EnvValueSource(StrEnum):
    HOST = "HOST"
    INLINE = "INLINE"


class FailStrategy(StrEnum):
    FAIL_CLOSE = "FAIL_CLOSE"
    FAIL_OPEN = "FAIL_OPEN"
    FAIL_RELOAD = "FAIL_RELOAD"


class PluginPhase(StrEnum):
    AUTHN = "AUTHN"
    AUTHZ = "AUTHZ"
    STATS = "STATS"
    UNSPECIFIED_PHASE = "UNSPECIFIED_PHASE"


class PluginType(StrEnum):
    HTTP = "HTTP"
    NETWORK = "NETWORK"
    UNSPECIFIED_PLUGIN_TYPE = "UNSPECIFIED_PLUGIN_TYPE"


class PullPolicy(StrEnum):
    Always = "Always"
    IfNotPresent = "IfNotPresent"
    UNSPECIFIED_POLICY = "UNSPECIFIED_POLICY"


class ExecutionPhase(StrEnum):
    AUTHN = "AUTHN"
    AUTHZ = "AUTHZ"
    STATS = "STATS"
    UNSPECIFIED = "UNSPECIFIED"


class EnvVar(Model, frozen=True, eq=False):
    """istio.extensions.v1alpha1.EnvVar"""

    name: str = ""
    value_from: EnvValueSource = EnvValueSource.INLINE
    value: str = ""


class LuaConfig(Model, frozen=True, eq=False):
    """istio.extensions.v1alpha1.LuaConfig"""

    inline_code: str = ""


class TrafficExtension(Model, frozen=True, eq=False):
    """istio.extensions.v1alpha1.TrafficExtension"""

    selector: selectors.WorkloadSelector | None = None
    targetRefs: tuple[selectors.PolicyTargetReference, ...] = ()
    phase: ExecutionPhase = ExecutionPhase.UNSPECIFIED
    priority: int | None = None
    match: tuple[TrafficSelector, ...] = ()
    wasm: WasmConfig | None = None
    lua: LuaConfig | None = None


class TrafficSelector(Model, frozen=True, eq=False):
    """istio.extensions.v1alpha1.TrafficSelector"""

    mode: selectors.WorkloadMode = selectors.WorkloadMode.UNDEFINED
    ports: tuple[selectors.PortSelector, ...] = ()


class VmConfig(Model, frozen=True, eq=False):
    """istio.extensions.v1alpha1.VmConfig"""

    env: tuple[EnvVar, ...] = ()


class WasmConfig(Model, frozen=True, eq=False):
    """istio.extensions.v1alpha1.WasmConfig"""

    url: str = ""
    sha256: str = ""
    image_pull_policy: PullPolicy = PullPolicy.UNSPECIFIED_POLICY
    image_pull_secret: str = ""
    verification_key: str = ""
    plugin_config: Json | None = None
    plugin_name: str = ""
    fail_strategy: FailStrategy = FailStrategy.FAIL_CLOSE
    vm_config: VmConfig | None = None
    type: PluginType = PluginType.UNSPECIFIED_PLUGIN_TYPE


class WasmPlugin(Model, frozen=True, eq=False):
    """istio.extensions.v1alpha1.WasmPlugin"""

    selector: selectors.WorkloadSelector | None = None
    targetRef: selectors.PolicyTargetReference | None = None
    targetRefs: tuple[selectors.PolicyTargetReference, ...] = ()
    url: str = ""
    sha256: str = ""
    image_pull_policy: PullPolicy = PullPolicy.UNSPECIFIED_POLICY
    image_pull_secret: str = ""
    verification_key: str = ""
    plugin_config: Json | None = None
    plugin_name: str = ""
    phase: PluginPhase = PluginPhase.UNSPECIFIED_PHASE
    priority: int | None = None
    fail_strategy: FailStrategy = FailStrategy.FAIL_CLOSE
    vm_config: VmConfig | None = None
    match: tuple[WasmPluginTrafficSelector, ...] = ()
    type: PluginType = PluginType.UNSPECIFIED_PLUGIN_TYPE


class WasmPluginTrafficSelector(Model, frozen=True, eq=False):
    """istio.extensions.v1alpha1.WasmPlugin.TrafficSelector"""

    mode: selectors.WorkloadMode = selectors.WorkloadMode.UNDEFINED
    ports: tuple[selectors.PortSelector, ...] = ()
