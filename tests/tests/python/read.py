"""Reads what Copilot wrote with the libraries of others: flyteidl, protobuf, PyYAML.

    read.py literals FILE       a LiteralMap, each literal as [kind, value]
    read.py error FILE          an ErrorDocument
    read.py same DIRECTORY      where NAME.yaml and NAME.json differ

The answer is JSON on standard output.
"""

import base64
import json
import math
import pathlib
import sys

import yaml
from flyteidl.core import errors_pb2, literals_pb2
from google.protobuf import json_format


def number(value):
    """A float as text: JSON has no NaN, and its readers differ in 1 and 1.0."""
    return value.hex() if math.isfinite(value) else str(value)


def primitive(value):
    kind = value.WhichOneof("value")
    member = getattr(value, kind)
    if kind == "float_value":
        return [kind, number(member)]
    if kind == "integer":
        return [kind, str(member)]
    if kind in ("datetime", "duration"):
        return [kind, [str(member.seconds), member.nanos]]
    return [kind, member]


def scalar(value):
    kind = value.WhichOneof("value")
    member = getattr(value, kind)
    if kind == "primitive":
        return primitive(member)
    if kind == "none_type":
        return [kind, None]
    if kind == "binary":
        return [kind, [member.tag, base64.b64encode(member.value).decode()]]
    if kind == "blob":
        declared = member.metadata.type
        return [kind, [member.uri, declared.format, declared.dimensionality]]
    if kind == "error":
        return [kind, member.message]
    if kind == "generic":
        return [kind, json_format.MessageToDict(member)]
    if kind == "union":
        return [kind, [literal(member.value), member.type.structure.tag]]
    return [kind, member.uri]


def literal(value):
    kind = value.WhichOneof("value")
    if kind == "scalar":
        return scalar(value.scalar)
    if kind == "collection":
        return [kind, [literal(each) for each in value.collection.literals]]
    return [kind, {key: literal(each) for key, each in value.map.literals.items()}]


def literals(path):
    found = literals_pb2.LiteralMap.FromString(pathlib.Path(path).read_bytes())
    return {name: literal(value) for name, value in found.literals.items()}


def error(path):
    found = errors_pb2.ErrorDocument.FromString(pathlib.Path(path).read_bytes()).error
    return {
        "code": found.code,
        "message": found.message,
        "kind": errors_pb2.ContainerError.Kind.Name(found.kind),
        "origin": found.origin,
        "seconds": found.timestamp.seconds,
        "worker": found.worker,
    }


def differences(one, other, path):
    if type(one) is not type(other):
        yield [path, repr(one), repr(other)]
    elif isinstance(one, dict):
        if one.keys() != other.keys():
            yield [path, repr(sorted(one)), repr(sorted(other))]
            return
        for key in one:
            yield from differences(one[key], other[key], f"{path}/{key}")
    elif isinstance(one, list):
        if len(one) != len(other):
            yield [path, repr(one), repr(other)]
            return
        for index, (left, right) in enumerate(zip(one, other)):
            yield from differences(left, right, f"{path}/{index}")
    elif one != other:
        yield [path, repr(one), repr(other)]


def same(directory):
    found = []
    files = sorted(pathlib.Path(directory).glob("*.yaml"))
    for file in files:
        with open(file, encoding="utf-8", newline="") as text:
            from_yaml = yaml.safe_load(text)
        with open(file.with_suffix(".json"), encoding="utf-8") as text:
            from_json = json.load(text)
        found.extend(differences(from_yaml, from_json, file.stem))
    return {"files": len(files), "differences": found}


print(json.dumps({"literals": literals, "error": error, "same": same}[sys.argv[1]](sys.argv[2])))
