"""flytekit's type engine on both ends of a container task.

    round_trip.py make DIRECTORY      writes inputs.pb, and the types of the same variables
    round_trip.py check FILE          compares outputs.pb with the values that `make` began with
    round_trip.py write DIRECTORY     writes outputs as `str` has them, and their interface
    round_trip.py written FILE        compares outputs.pb with the values that `write` wrote
    round_trip.py loosen DIRECTORY    writes objects with 1 for 1.0 and 1.0 for 1, and their interface
    round_trip.py loosened FILE       passes on members of these in outputs.pb, and compares them
    round_trip.py decoded FILE        compares inputs.json or inputs.yaml with inputs.pb beside it

Each variable is both an input and an output. The answer of a comparison is JSON: what differs, by variable.
"""

import asyncio
import dataclasses
import datetime
import enum
import json
import pathlib
import sys
import typing

import msgpack
import yaml
from flyteidl.core import interface_pb2, literals_pb2
from flytekit import FlyteContextManager
from flytekit.core.promise import Promise, resolve_attr_path_in_promise
from flytekit.core.type_engine import TypeEngine
from flytekit.models.literals import Literal
from pydantic import BaseModel, RootModel

UTC = datetime.timezone.utc


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


@dataclasses.dataclass
class Point:
    x: int
    y: float


@dataclasses.dataclass
class Everything:
    integer: int
    large: int
    number: float
    whole: float
    text: str
    truth: bool
    time: datetime.datetime
    day: datetime.date
    span: datetime.timedelta
    colour: Colour
    point: Point
    numbers: typing.List[int]
    floats: typing.List[float]
    words: typing.Dict[str, str]
    by_number: typing.Dict[int, str]
    points: typing.List[Point]
    nested: typing.Dict[str, typing.List[typing.Optional[int]]]
    some: typing.Optional[Point] = None
    none: typing.Optional[int] = None


class Inner(BaseModel):
    x: int
    y: float
    when: datetime.datetime


class Model(BaseModel):
    name: str
    large: int
    whole: float
    inner: Inner
    inners: typing.List[Inner]
    maybe: typing.Optional[str] = None


class Numbers(RootModel[typing.List[int]]):
    pass


everything = Everything(
    integer=-7,
    large=2**60 + 1,
    number=0.1,
    whole=3.0,
    text='é\n"<&> \u2028',
    truth=True,
    time=datetime.datetime(2021, 3, 4, 5, 6, 7, 123456, tzinfo=UTC),
    day=datetime.date(2021, 3, 4),
    span=datetime.timedelta(days=1, seconds=1.5),
    colour=Colour.GREEN,
    point=Point(1, 2.0),
    numbers=[1, 2**62, -(2**62)],
    floats=[1.0, 1e21, -0.0, 5e-324],
    words={"": "empty", "a": "b"},
    by_number={1: "a", -2: "b"},
    points=[Point(3, 4.0)],
    nested={"k": [1, None, 3]},
    some=Point(5, 6.0),
)
untyped = {"integer": 2**60 + 1, "float": 1.0, "text": "x", "none": None, "list": [1, 2.0, {"k": [True, {}]}]}
inner = Inner(x=1, y=2.0, when=datetime.datetime(2021, 3, 4, tzinfo=UTC))
model = Model(name="m", large=2**60 + 1, whole=3.0, inner=inner, inners=[inner])

# By variable: the Python type, and the value.
VALUES = {
    "dict": (dict, untyped),
    "dict_empty": (dict, {}),
    "dict_by_number": (typing.Dict[int, str], {1: "a", 2: "b"}),
    "dict_of_dataclasses": (typing.Dict[str, Point], {"a": Point(1, 2.0)}),
    "dict_of_dicts": (typing.Dict[str, dict], {"a": {"x": 1}}),
    "dataclass": (Everything, everything),
    "model": (Model, model),
    "model_of_a_list": (Numbers, Numbers([1, 2])),
    "list_of_dicts": (typing.List[dict], [{"a": 1}, {}]),
    "list_of_lists": (typing.List[typing.List[dict]], [[{"a": 1}], []]),
    "list_of_models": (typing.List[Model], [model, model]),
    "list_of_optionals": (typing.List[typing.Optional[Point]], [Point(1, 2.0), None]),
    "optional_dataclass": (typing.Optional[Point], Point(1, 2.0)),
    "optional_model": (typing.Optional[Model], model),
    "optional_dict": (typing.Optional[dict], {"a": 1}),
    "optional_none": (typing.Optional[Point], None),
    "union": (typing.Union[str, Point], Point(1, 2.0)),
}

# By variable: the type that the task declares, the variable above, and the path to a member of it.
MEMBERS = {
    "member_integer": (int, "dataclass", ["integer"]),
    "member_large": (int, "dataclass", ["large"]),
    "member_float": (float, "dataclass", ["number"]),
    "member_whole_float": (float, "dataclass", ["whole"]),
    "member_text": (str, "dataclass", ["text"]),
    "member_truth": (bool, "dataclass", ["truth"]),
    "member_dataclass": (Point, "dataclass", ["point"]),
    "member_list": (typing.List[int], "dataclass", ["numbers"]),
    "member_floats": (typing.List[float], "dataclass", ["floats"]),
    "member_dict": (typing.Dict[str, str], "dataclass", ["words"]),
    "member_dict_by_number": (typing.Dict[int, str], "dataclass", ["by_number"]),
    "member_dataclasses": (typing.List[Point], "dataclass", ["points"]),
    "member_element": (Point, "dataclass", ["points", 0]),
    "member_of_member": (int, "dataclass", ["points", 0, "x"]),
    "member_optional": (typing.Optional[Point], "dataclass", ["some"]),
    "member_none": (typing.Optional[int], "dataclass", ["none"]),
    "member_model": (Inner, "model", ["inner"]),
    "member_of_dict": (dict, "dict", ["list", 2]),
    "member_of_list": (int, "list_of_dicts", [0, "a"]),
}

# Their form tells their type only where the interface is known.
TIMES = {
    "member_time": (datetime.datetime, "dataclass", ["time"]),
    "member_day": (datetime.date, "dataclass", ["day"]),
    "member_span": (datetime.timedelta, "dataclass", ["span"]),
}

# What a program writes by `str`.
WRITTEN = {
    "integer": (int, -7),
    "float": (float, 1e21),
    "truth": (bool, True),
    "time": (datetime.datetime, datetime.datetime(2021, 3, 4, 5, 6, 7, 123456, tzinfo=UTC)),
    "time_elsewhere": (
        datetime.datetime,
        datetime.datetime(2021, 3, 4, 5, 6, 7, tzinfo=datetime.timezone(datetime.timedelta(hours=-3))),
    ),
    "span": (datetime.timedelta, datetime.timedelta(hours=1.5)),
    "span_days": (datetime.timedelta, datetime.timedelta(days=400, microseconds=1)),
    "span_negative": (datetime.timedelta, datetime.timedelta(seconds=-0.5)),
}


def member(value, path):
    for step in path:
        value = value[step] if isinstance(value, (dict, list)) else getattr(value, step)
    return value


def cases():
    """Each variable with its type and its value."""
    yield from ((name, declared, value) for name, (declared, value) in VALUES.items())
    for name, (declared, of, path) in {**MEMBERS, **TIMES}.items():
        yield name, declared, member(VALUES[of][1], path)


def literal_of_member(literal, path):
    promise = Promise("o", literal)
    for step in path:
        promise = promise[step]
    return asyncio.run(resolve_attr_path_in_promise(promise)).val


def make(directory):
    context = FlyteContextManager.current_context()
    types = {name: TypeEngine.to_literal_type(declared) for name, declared, _ in cases()}
    literals = {
        name: TypeEngine.to_literal(context, value, declared, types[name])
        for name, (declared, value) in VALUES.items()
    }
    for name, (_, of, path) in {**MEMBERS, **TIMES}.items():
        literals[name] = literal_of_member(literals[of], path)
    literals = {name: literal.to_flyte_idl() for name, literal in literals.items()}
    variables = {name: interface_pb2.Variable(type=kind.to_flyte_idl()) for name, kind in types.items()}
    variables = interface_pb2.VariableMap(variables=variables)
    files = {
        "inputs.pb": literals_pb2.LiteralMap(literals=literals),
        "types.pb": variables,
        "interface.pb": interface_pb2.TypedInterface(inputs=variables, outputs=variables),
    }
    for name, message in files.items():
        (pathlib.Path(directory) / name).write_bytes(message.SerializeToString())
    return {"times": list(TIMES), "packed": [name for name in literals if "msgpack" in str(literals[name])]}


def same(one, other):
    """Equal, and of equal types all the way down: 1 is not 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if dataclasses.is_dataclass(one) or isinstance(one, BaseModel):
        return same(vars(one), vars(other))
    if isinstance(one, float):
        return repr(one) == repr(other)
    return one == other


def write(directory):
    directory = pathlib.Path(directory)
    variables = {}
    for name, (declared, value) in WRITTEN.items():
        (directory / name).write_text(str(value))
        variables[name] = interface_pb2.Variable(type=TypeEngine.to_literal_type(declared).to_flyte_idl())
    # Without an offset it is UTC.
    (directory / "time").write_text(str(WRITTEN["time"][1].replace(tzinfo=None)))
    interface = interface_pb2.TypedInterface(outputs=interface_pb2.VariableMap(variables=variables))
    (directory / "interface.pb").write_bytes(interface.SerializeToString())


def written(path):
    return compare(path, ((name, declared, value) for name, (declared, value) in WRITTEN.items()))


def loosely(value):
    """Numbers of the other kind, as far as they are the same."""
    if isinstance(value, dict):
        return {key: loosely(each) for key, each in value.items()}
    if isinstance(value, list):
        return [loosely(each) for each in value]
    if isinstance(value, float) and value == int(value) and str(value) != "-0.0":
        return int(value)
    if type(value) is int and abs(value) < 2**53:
        return float(value)
    return value


def loosen(directory):
    directory = pathlib.Path(directory)
    context = FlyteContextManager.current_context()
    variables = {}
    for name in ["dataclass", "model"]:
        declared, value = VALUES[name]
        kind = TypeEngine.to_literal_type(declared)
        literal = TypeEngine.to_literal(context, value, declared, kind).to_flyte_idl()
        (directory / name).write_text(json.dumps(loosely(decoded(literal))))
        variables[name] = interface_pb2.Variable(type=kind.to_flyte_idl())
    interface = interface_pb2.TypedInterface(outputs=interface_pb2.VariableMap(variables=variables))
    (directory / "interface.pb").write_bytes(interface.SerializeToString())


def loosened(path):
    context = FlyteContextManager.current_context()
    outputs = literals_pb2.LiteralMap.FromString(pathlib.Path(path).read_bytes()).literals
    differences = compare(path, ((name, *VALUES[name]) for name in outputs))
    for name, (declared, of, steps) in MEMBERS.items():
        if of not in outputs:
            continue
        literal = literal_of_member(Literal.from_flyte_idl(outputs[of]), steps)
        value = member(VALUES[of][1], steps)
        try:
            back = TypeEngine.to_python_value(context, literal, declared)
        except Exception as error:
            differences[name] = f"{type(error).__name__}: {error}"
            continue
        if not same(back, value):
            differences[name] = [repr(back), repr(value)]
    return differences


def check(path):
    return compare(path, cases())


def compare(path, expected):
    context = FlyteContextManager.current_context()
    outputs = literals_pb2.LiteralMap.FromString(pathlib.Path(path).read_bytes()).literals
    differences = {}
    for name, declared, value in expected:
        if name not in outputs:
            differences[name] = "missing"
            continue
        try:
            back = TypeEngine.to_python_value(context, Literal.from_flyte_idl(outputs[name]), declared)
        except Exception as error:
            differences[name] = f"{type(error).__name__}: {error}"
            continue
        if name == "member_time" and back.tzinfo is None:
            back = back.replace(tzinfo=UTC)
        if not same(back, value):
            differences[name] = [repr(back), repr(value)]
    return differences


def decoded(literal):
    """What msgpack and json make of it."""
    if literal.HasField("collection"):
        return [decoded(each) for each in literal.collection.literals]
    if literal.HasField("map"):
        return {key: decoded(each) for key, each in literal.map.literals.items()}
    if literal.scalar.HasField("union"):
        return decoded(literal.scalar.union.value)
    if literal.scalar.HasField("none_type"):
        return None
    value = msgpack.loads(literal.scalar.binary.value, strict_map_key=False)
    return json.loads(json.dumps(value))


def compare_metadata(path):
    path = pathlib.Path(path)
    literals = literals_pb2.LiteralMap.FromString((path.parent / "inputs.pb").read_bytes()).literals
    with open(path, encoding="utf-8", newline="") as text:
        found = yaml.safe_load(text) if path.suffix == ".yaml" else json.load(text)
    expected = {name: decoded(literal) for name, literal in literals.items()}
    return {
        name: [repr(found[name]), repr(value)]
        for name, value in expected.items()
        if not same(found[name], value)
    }


TASKS = {
    "make": make,
    "check": check,
    "write": write,
    "written": written,
    "loosen": loosen,
    "loosened": loosened,
    "decoded": compare_metadata,
}
print(json.dumps(TASKS[sys.argv[1]](sys.argv[2])))
