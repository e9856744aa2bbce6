"""What flytekit and Copilot exchange through a store: files, directories, datasets and schemas.

    exchange.py table FILE              writes a small parquet file, for a program without flytekit
    exchange.py table_of_csv FILE       the same as CSV
    exchange.py open SANDBOX OUTPUTS    opens what a LiteralMap refers to, as the next task would
    exchange.py write SANDBOX INPUTS    writes data as a task would, and a LiteralMap that refers to it
    exchange.py times OUTPUTS           reads times and durations as the next task would

The store is the one of FLYTE_AWS_ENDPOINT and its keys. The answer is JSON, the last line on standard output:
the content of each file, directory, dataset or schema by the name of its variable.
"""

import datetime
import json
import pathlib
import sys
import typing
from urllib.parse import unquote

import pandas
from flyteidl.core import literals_pb2
from flytekit import FlyteContextManager, StructuredDataset
from flytekit.configuration import DataConfig
from flytekit.core.data_persistence import FileAccessProvider
from flytekit.core.type_engine import TypeEngine
from flytekit.models.literals import LiteralMap
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.schema import FlyteSchema

TABLE = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})

# Names of files.
NAMES = ["plain.csv", "a b+c.csv", "é.csv", "100%.csv", "a%41.csv", "a%20b.csv", "a#b.csv", "a?b.csv"]


def context(sandbox):
    access = FileAccessProvider(sandbox, "s3://data/task/raw", DataConfig.auto())
    current = FlyteContextManager.current_context()
    return FlyteContextManager.with_context(current.with_file_access(access))


def content(directory):
    """The files below a directory, by relative path."""
    root = pathlib.Path(directory)
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_text() for path in files}


def rows(table):
    return table.to_dict(orient="list")


def opened(ctx, literal):
    if literal.collection is not None:
        return [opened(ctx, each) for each in literal.collection.literals]
    if literal.map is not None:
        return {key: opened(ctx, each) for key, each in literal.map.literals.items()}
    scalar = literal.scalar
    if scalar.union is not None:
        return opened(ctx, scalar.union.value)
    if scalar.structured_dataset is not None:
        dataset = TypeEngine.to_python_value(ctx, literal, StructuredDataset)
        return rows(dataset.open(pandas.DataFrame).all())
    if scalar.schema is not None:
        local = ctx.file_access.get_random_local_directory()
        ctx.file_access.get_data(scalar.schema.uri, local, is_multipart=True)
        return content(local)
    if scalar.blob.metadata.type.dimensionality == 1:
        directory = TypeEngine.to_python_value(ctx, literal, FlyteDirectory)
        return content(directory.download())
    file = TypeEngine.to_python_value(ctx, literal, FlyteFile)
    return pathlib.Path(file.download()).read_text()


def open_all(sandbox, path):
    message = literals_pb2.LiteralMap.FromString(pathlib.Path(path).read_bytes())
    with context(sandbox) as ctx:
        literals = LiteralMap.from_flyte_idl(message).literals
        return {name: opened(ctx, literal) for name, literal in literals.items()}


def laid(sandbox):
    """A directory with a file of each name, and what is in it."""
    root = pathlib.Path(sandbox) / "laid"
    for name in NAMES:
        for path in (root / name, root / f"{name}.d" / name):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(path.relative_to(root)))
    return root


def is_kept(name):
    """Whether flytekit's reference to a file names the file's object: it unquotes the reference only."""
    return unquote(name) == name


def values(sandbox):
    """The variables: type, value, and what a reader finds."""
    root = laid(sandbox)
    # The name of a local file is a pattern, too.
    names = [name for name in NAMES if is_kept(name) and "?" not in name]
    files = {name: FlyteFile(str(root / name)) for name in names}
    texts = {name: name for name in names}
    yield "files", typing.Dict[str, FlyteFile], files, texts
    yield "list", typing.List[FlyteFile], list(files.values()), names
    yield "directory", FlyteDirectory, FlyteDirectory(str(root)), content(root)
    yield "schema", FlyteSchema, FlyteSchema(local_path=str(root)), content(root)
    yield "dataset", StructuredDataset, StructuredDataset(dataframe=TABLE), rows(TABLE)
    rows_of_csv = {".csv": TABLE.to_csv(index=False)}
    yield "csv", typing.Annotated[StructuredDataset, "csv"], StructuredDataset(dataframe=TABLE), rows_of_csv
    # Places that the task chooses.
    for number, odd in enumerate(["a#b", "a?b", "100%", "a%41", "a b", "é", "/lead//x"]):
        given = f"s3://data/given/{number}/{odd}"
        if is_kept(odd):
            file = FlyteFile(str(root / "plain.csv"), remote_path=f"{given}/file.csv")
            yield f"given_file{number}", FlyteFile, file, "plain.csv"
        directory = FlyteDirectory(str(root), remote_directory=f"{given}/dir")
        yield f"given_directory{number}", FlyteDirectory, directory, content(root)
        dataset = StructuredDataset(dataframe=TABLE, uri=f"{given}/rows")
        yield f"given_dataset{number}", StructuredDataset, dataset, rows(TABLE)


def write_all(sandbox, path):
    found, literals = {}, {}
    with context(sandbox) as ctx:
        for name, kind, value, expected in values(sandbox):
            declared = TypeEngine.to_literal_type(kind)
            literal = TypeEngine.to_literal(ctx, value, kind, declared)
            literals[name], found[name] = literal, expected
    message = LiteralMap(literals).to_flyte_idl()
    pathlib.Path(path).write_bytes(message.SerializeToString())
    return found


def table(path):
    TABLE.to_parquet(path)
    return rows(TABLE)


def table_of_csv(path):
    TABLE.to_csv(path, index=False)
    return rows(TABLE)


def times(path):
    """The values of a LiteralMap, in Python's own words."""
    message = literals_pb2.LiteralMap.FromString(pathlib.Path(path).read_bytes())
    ctx = FlyteContextManager.current_context()
    kinds = {"datetime": datetime.datetime, "duration": datetime.timedelta}

    def value(literal):
        if literal.collection is not None:
            return [value(each) for each in literal.collection.literals]
        kind = "datetime" if literal.scalar.primitive.datetime is not None else "duration"
        return str(TypeEngine.to_python_value(ctx, literal, kinds[kind]))

    literals = LiteralMap.from_flyte_idl(message).literals
    return {name: value(literal) for name, literal in literals.items()}


ANSWERS = {"table": table, "table_of_csv": table_of_csv, "open": open_all, "write": write_all, "times": times}
print(json.dumps(ANSWERS[sys.argv[1]](*sys.argv[2:])))
