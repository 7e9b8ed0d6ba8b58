"""An object store on the loopback interface, which speaks S3.

with object_store.serve() as system:
    system.mkdir("posts")
    score_file(checker, "s3://posts/a.jsonl", "s3://posts/out.jsonl")
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def serve() -> Iterator[Any]:
    """Run an empty store, which ``s3://`` leads to until the block ends; gives its file system."""
    server = pytest.importorskip("moto.server")
    s3fs = pytest.importorskip("s3fs")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "of-the-tests",
            "AWS_SECRET_ACCESS_KEY": "of-the-tests", "AWS_DEFAULT_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1,localhost",
        }.items():  # fmt: skip
            patch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()  # of another store
        yield s3fs.S3FileSystem()
        s3fs.S3FileSystem.clear_instance_cache()
    running.stop()
