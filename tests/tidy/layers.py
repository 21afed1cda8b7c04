# SPDX-License-Identifier: Apache-2.0
"""layers.py ROOT: a file includes only what stands above it (ARCHITECTURE.md), by its full path,
in a fixed order, and nothing includes itself in a circle."""

import os

import tree

LAYERS = ("base", "sip", "state", "service", "env", "store", "net", "run")
PUBLIC = "include/signpost"


def layer_of(path):
    """The layer that src/<layer>/... or include/signpost/<layer>/... belongs to, else None."""
    for prefix in ("src/", PUBLIC + "/"):
        if path.startswith(prefix) and "/" in path[len(prefix):]:
            return path[len(prefix):].split("/")[0]
    return None


def target_of(root, include):
    """The file of this tree that an include names by its full path, else None."""
    folder = "include" if include.startswith("signpost/") else "src"
    path = f"{folder}/{include}"
    if layer_of(path) and os.path.isfile(os.path.join(root, path)):
        return path
    return None


def own_header(root, path):
    layer, name = layer_of(path), os.path.splitext(os.path.basename(path))[0]
    for header in (f"{PUBLIC}/{layer}/{name}.h", f"src/{layer}/{name}.h"):
        if path.endswith(".c") and os.path.isfile(os.path.join(root, header)):
            return header
    return None


def check_file(root, path, edges):
    layer = layer_of(path)
    if layer not in LAYERS:
        yield f"{path}: lies in no layer"
        return
    own = own_header(root, path)
    rows = list(tree.includes(tree.read(root, path)))
    if own and (not rows or target_of(root, rows[0][2]) != own):
        yield f"{path}: its own header {own} is not the first include"
    project_seen = False
    for number, system, include in rows:
        target = target_of(root, include)
        if target is None and not system:
            yield f'{path}:{number}: "{include}" is no full path of a header in this tree'
        elif target and system:
            yield f"{path}:{number}: <{include}> is a header of this tree: write it in quotes"
        elif target:
            edges.setdefault(path, []).append(target)
            project_seen = project_seen or target != own
            if layer_of(target) not in LAYERS[:LAYERS.index(layer) + 1]:
                yield f"{path}:{number}: {layer} must not include {layer_of(target)} ({include})"
        elif project_seen and path.endswith(".c"):
            yield f"{path}:{number}: <{include}> stands after a header of this tree"


def circles(edges):
    done = set()

    def walk(path, trail):
        if path in trail:
            yield "includes in a circle: " + " > ".join(trail[trail.index(path):] + [path])
        elif path not in done:
            for target in edges.get(path, []):
                yield from walk(target, trail + [path])
            done.add(path)

    for start in sorted(edges):
        yield from walk(start, [])


def check(root):
    edges = {}
    findings = []
    for path in tree.files(root, "src", "include"):
        if tree.is_c(path):
            findings += check_file(root, path, edges)
    return findings + list(circles(edges))


if __name__ == "__main__":
    tree.main(check)
