"""The manifests before there is a control plane: what the node can begin with.

A control plane takes long to load what it compiles with. Meanwhile a process of its own reads the
manifests as the control plane will, hands over the objects that matter to the node, and ends. The
node takes the control plane's word as soon as it has it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from varka.local.apiserver.admission import Options
from varka.local.apiserver.apiserver import ApiServer
from varka.local.supervisor.options import Manifests
from varka.local.workload.cluster import KINDS, Object
from varka.store.files import Files
from varka.store.meshfile import MeshConfigFile
from varka.store.store import Store


def send_preview(manifests: Manifests, pipe: int) -> None:
    """Write the objects to a pipe, as JSON, and close it. Raises whatever goes wrong, with nothing
    written: the control plane will say what it is."""
    data = json.dumps(preview(manifests)).encode()
    with os.fdopen(pipe, "wb") as output:
        output.write(data)


def preview(manifests: Manifests) -> list[Object]:
    """The objects of the kinds that the node runs on, as the control plane will show them."""
    store = Store()
    files = Files(manifests.paths, watch=False)
    store.take(files.name, files.refresh())
    if manifests.mesh_config:
        config = MeshConfigFile(Path(manifests.mesh_config), watch=False)
        store.take(config.name, config.refresh())
    ApiServer(None, Options(manifests.profile, manifests.inject))(store)
    keys = sorted(key for key in store.state.resources if key.kind in KINDS)
    documents = [(key, store.document(key)) for key in keys]
    return [
        {**value, "metadata": {**value["metadata"], "namespace": key.namespace}}
        if key.namespace
        else value
        for key, value in documents
    ]
