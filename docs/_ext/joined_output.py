"""What a command printed, in one piece.

A command's output reaches a notebook in blocks of bytes, which end within words. MyST-NB ends a line after each of
them when it joins them, so it is told another way to.
"""


def joined(outputs: list) -> list:
    """Outputs of a cell, all text of a stream (``stdout``, ``stderr``) put together where the stream began."""
    kept, streams = [], {}
    for output in outputs:
        name = output["name"] if output["output_type"] == "stream" else None
        if name in streams:
            streams[name]["text"] += output["text"]
            continue
        kept.append(output)
        if name is not None:
            streams[name] = output
    return kept


def setup(app):
    from myst_nb.core import render

    assert callable(render.coalesce_streams)
    render.coalesce_streams = joined
    return {"parallel_read_safe": True, "parallel_write_safe": True}
