"""The process that reads C2PA manifests: what it parses comes from strangers, by native code.

Reads frames from stdin, a line of JSON (`media_type`, `bytes`) and the file, and answers each by a line of JSON:
`assertions` of the active manifest and `state` of its signature, or `error`. No network: only manifests in the file.
"""

import io
import os
import resource
from typing import Any, BinaryIO, Final

import orjson

MEMORY_BYTES_MAX: Final = 2 * 2**30
_OFFLINE: Final[dict[str, Any]] = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": False}
}


def answer(media_type: str, content: bytes) -> dict[str, Any]:
    """Return the answer to one frame."""
    from c2pa import C2paError, Context, Reader, Settings

    try:
        with Context(settings=Settings.from_dict(_OFFLINE)) as context:
            reader = Reader.try_create(media_type, io.BytesIO(content), context=context)
            if reader is None or not reader.is_embedded():
                return {"assertions": [], "state": None}
            manifest = reader.get_active_manifest() or {}
            return {"assertions": manifest.get("assertions", []), "state": reader.get_validation_state()}
    except (C2paError, ValueError, KeyError) as error:
        return {"error": str(error)}


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer frames until there are no more."""
    while line := requests.readline():
        frame = orjson.loads(line)
        content = requests.read(frame["bytes"])
        answers.write(orjson.dumps(answer(frame["media_type"], content)) + b"\n")
        answers.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with os.fdopen(0, "rb") as requests, os.fdopen(1, "wb") as answers:
        serve(requests, answers)
