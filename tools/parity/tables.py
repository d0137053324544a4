"""Compares what Albertine reads of generated tables with what was written, and with DuckDB and polars.

    cargo build --release --example cells
    python tools/parity/tables.py target/release/examples/cells --tables 2000 --seed 1

Each table has one dialect: delimiter, quoting, escape, line end, header, encoding, and sometimes a damaged row.
Albertine is told nothing but the name of the file; DuckDB and polars are told the dialect. Null and the empty text count
as the same, because the three differ in what an empty field is. A table is

    same        Albertine read what was written
    refused     Albertine gave an error, and another reader did as well, or the table was damaged
    error       Albertine gave an error, and the others read what was written
    other       Albertine read something else than what was written

The last two are listed with what each reader made of them. JSON is compared with what was written, DuckDB and pandas;
Parquet files of pyarrow, polars and DuckDB, and folders of Spark, with pyarrow. Spark needs pyspark and Java, and is said
to be skipped where pyspark is missing.
"""

import argparse
import collections
import datetime
import decimal
import importlib.util
import itertools
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

WORDS = ["Oil", "rose", "Gold", "Käse", "naïve", "5\" disk", "it's", "C:\\dir", "a;b", "x|y", "one, two", "tab\there", "#1", "",
         "007", "-1.50", "NULL", "line\nbreak", "\"quoted\"", "ends\\", "=SUM(A1)", " spaced ", "株式", "true", "1e5"]


def field(random, dialect):
    words = [w for w in WORDS if dialect["encoding"] != "cp1252" or w.encode("cp1252", "ignore").decode("cp1252") == w]
    if dialect["quoting"] == "none":
        words = [w for w in words if dialect["delimiter"] not in w and "\n" not in w and not w.startswith('"')]
    if dialect["quoting"] == "none" or dialect["escape"] == "backslash":
        words = [w for w in words if not w.endswith("\\")]
    return " ".join(random.choice(words) for _ in range(random.randint(1, 3)))


def written(value, dialect, random):
    quote = dialect["quote"]
    special = any(c in value for c in (dialect["delimiter"], quote, "\n", "\r")) or value.startswith("#")
    if dialect["quoting"] == "none" or not (special or dialect["quoting"] == "all" or (dialect["quoting"] == "some" and random.random() < 0.3)):
        return value
    if dialect["escape"] == "double":
        return quote + value.replace(quote, quote * 2) + quote
    # Spark doubles no backslash that stands before another character.
    return quote + value.replace(quote, "\\" + quote) + quote


def generate(number, random):
    delimiter = random.choice([",", ",", ",", ";", "\t", "|"])
    quoting = random.choice(["minimal", "all", "some", "minimal", "none" if delimiter == "\t" else "minimal"])
    dialect = {
        "delimiter": delimiter,
        "quoting": quoting,
        "quote": random.choice(['"', '"', '"', "'"]) if quoting == "all" else '"',
        "escape": random.choice(["double", "double", "backslash"]) if quoting != "none" else "double",
        "end": random.choice(["\n", "\n", "\r\n"]),
        "header": random.random() < 0.8,
        "encoding": random.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]),
        "damage": random.choice([None] * 8 + ["ragged", "quote"]),
    }
    columns, rows = random.randint(1, 6), random.randint(1, 30)
    if columns == 1:
        # There is no delimiter that could be found, and what stands in its place are commas.
        dialect["delimiter"], dialect["quoting"] = ",", "minimal" if quoting == "none" else quoting
        delimiter = ","
    names = [f"c{index}" for index in range(columns)]
    # Without a header the first column is of numbers, as nothing else tells a header from a row.
    table = [[field(random, dialect) for _ in names] for _ in range(rows)]
    if not dialect["header"]:
        for index, row in enumerate(table):
            row[0] = str(index * 7)
        # One record alone does not tell how many columns it was meant to have.
        table.append(["7", *(field(random, dialect) for _ in names[1:])])
        rows += 1
    lines = [[*row] for row in table]
    text = [delimiter.join(written(v, dialect, random) for v in row) for row in ([names] if dialect["header"] else []) + lines]
    if dialect["damage"] == "ragged" and columns > 1 and rows > 4:
        at = random.randrange(2, len(text))
        text[at] = text[at] + delimiter + "more"
    elif dialect["damage"] == "quote" and columns > 1 and rows > 4 and quoting != "none":
        at = random.randrange(2, len(text))
        text[at] = dialect["quote"] + "open" + text[at].replace(dialect["quote"], "")
    else:
        dialect["damage"] = None
    body = dialect["end"].join(text) + random.choice([dialect["end"], ""])
    if columns == 1 and body.endswith(dialect["end"] * 2):
        body += "x"
        table[-1][0] += "x"
    encoding = dialect["encoding"]
    # A file of ASCII alone is in no encoding that could be found.
    return dialect, names, table, body.encode(encoding, "replace" if encoding != "cp1252" else "strict")


def plain(rows):
    return [["" if cell is None else str(cell).replace("\r\n", "\n") for cell in row] for row in rows]


def with_duckdb(path, dialect):
    import duckdb

    if dialect["encoding"] in ("utf-16", "utf-16-le", "cp1252"):
        return "encoding"
    try:
        quote = "" if dialect["quoting"] == "none" else dialect["quote"]
        escape = quote if dialect["escape"] == "double" else "\\"
        relation = duckdb.sql(
            "SELECT * FROM read_csv(?, all_varchar=true, auto_detect=false, delim=?, quote=?, escape=?, header=?, "
            "columns=?, strict_mode=true, null_padding=false)".replace("?", "{}").format(
                *(repr_sql(v) for v in (str(path), dialect["delimiter"], quote, escape)), str(dialect["header"]).lower(),
                "{" + ", ".join(f"'{n}': 'VARCHAR'" for n in dialect["names"]) + "}"))
        return plain(relation.fetchall())
    except Exception as error:  # every kind of error counts as one
        return f"error: {str(error).splitlines()[0][:100]}"


def repr_sql(value):
    return "'" + value.replace("'", "''") + "'"


def with_polars(path, dialect):
    import polars

    if dialect["escape"] == "backslash" or dialect["encoding"] not in ("utf-8", "utf-8-sig"):
        return "dialect"
    try:
        frame = polars.read_csv(path, separator=dialect["delimiter"], has_header=dialect["header"], infer_schema=False,
                                quote_char=None if dialect["quoting"] == "none" else dialect["quote"])
        return plain(frame.rows())
    except Exception as error:
        return f"error: {str(error).splitlines()[0][:100]}"


def cells(binary, paths):
    found = subprocess.run([binary], input="".join(f"{path}\n" for path in paths), text=True, capture_output=True, check=True)
    return [json.loads(line) for line in found.stdout.splitlines()]


def delimited(binary, count, random, folder):
    made = []
    for number in range(count):
        dialect, names, table, body = generate(number, random)
        dialect["names"] = names
        path = folder / f"{number}.{'tsv' if dialect['delimiter'] == chr(9) else 'csv'}"
        path.write_bytes(body)
        made.append((path, dialect, plain(table)))
    outcomes, listed = collections.Counter(), []
    for (path, dialect, table), ours in zip(made, cells(binary, [path for path, _, _ in made])):
        duckdb, polars = with_duckdb(path, dialect), with_polars(path, dialect)
        others = [read for read in (duckdb, polars) if not isinstance(read, str)]
        if "error" in ours:
            refused = dialect["damage"] or any(isinstance(read, str) and read.startswith("error") for read in (duckdb, polars))
            outcome = "refused" if refused else "error"
        elif plain(ours["rows"]) == table and not dialect["damage"]:
            outcome = "same"
        elif dialect["damage"] and any(plain(ours["rows"]) == read for read in others):
            outcome = "same"
        else:
            outcome = "other"
        outcomes[outcome] += 1
        if outcome in ("error", "other"):
            listed.append((path, dialect, ours, table, duckdb, polars))
    return outcomes, listed


def value(random, depth=0):
    kinds = ["text", "int", "float", "bool", "null"] + (["list", "object"] if depth < 2 else [])
    kind = random.choice(kinds)
    return {
        "text": lambda: random.choice(WORDS),
        "int": lambda: random.randint(-(10 ** random.randint(1, 25)), 10 ** random.randint(1, 25)),
        "float": lambda: random.choice([random.uniform(-10, 10), float("nan"), float("inf")]),
        "bool": lambda: random.random() < 0.5,
        "null": lambda: None,
        "list": lambda: [value(random, 2) for _ in range(random.randint(0, 3))],
        "object": lambda: {f"k{i}": value(random, 2) for i in range(random.randint(0, 3))},
    }[kind]()


def jsons(binary, count, random, folder):
    """Texts must come back as they were, whole numbers digit for digit, and no row be lost."""
    made = []
    for number in range(count):
        rows = [{"text": random.choice(WORDS), "id": random.randint(0, 10 ** random.choice([3, 18, 24])),
                 **{f"c{i}": value(random) for i in range(random.randint(0, 3))}} for _ in range(random.randint(1, 20))]
        layout = random.choice(["lines", "array", "pretty array", "pretty objects"])
        if layout == "lines":
            body = "".join(json.dumps(row, ensure_ascii=random.random() < 0.5) + "\n" for row in rows)
        elif layout == "pretty objects":
            body = "\n".join(json.dumps(row, indent=2) for row in rows)
        else:
            body = json.dumps(rows, indent=2 if layout.startswith("pretty") else None)
        path = folder / f"{number}.json"
        path.write_text(body, encoding="utf-8")
        made.append((path, rows, layout))
    outcomes, listed = collections.Counter(), []
    for (path, rows, layout), ours in zip(made, cells(binary, [path for path, _, _ in made])):
        if "error" not in ours:
            column = {name: [row[index] for row in ours["rows"]] for index, name in enumerate(ours["columns"])}
            good = column["text"] == [row["text"] for row in rows] and column["id"] == [str(row["id"]) for row in rows]
        outcome = "error" if "error" in ours else "same" if good else "other"
        outcomes[outcome] += 1
        for name, read in (("duckdb", texts_with_duckdb), ("pandas", texts_with_pandas)):
            try:
                agrees = read(path, layout) == [row["text"] for row in rows]
                outcomes[f"{name} {'agrees' if agrees else 'differs'}"] += 1
            except Exception:  # NaN, long numbers, objects over lines: each refuses some
                outcomes[f"{name} refuses"] += 1
        if outcome != "same":
            listed.append((path, layout, ours, rows, with_pandas(path, layout), None))
    return outcomes, listed


def texts_with_duckdb(path, _):
    import duckdb

    return [text for (text,) in duckdb.sql(f"SELECT text::VARCHAR FROM read_json('{path}', columns={{text: 'VARCHAR'}})").fetchall()]


def texts_with_pandas(path, layout):
    import pandas

    frame = pandas.read_json(path, lines=layout == "lines", dtype=False)
    return frame["text"].tolist()


def with_pandas(path, layout):
    import pandas

    try:
        return pandas.read_json(path, lines=layout == "lines").values.tolist()
    except Exception as error:
        return f"error: {error}"


def parquets(binary, folder):
    """Files of three writers in one process, against pyarrow's own reading of them as text."""
    import duckdb
    import polars
    import pyarrow
    import pyarrow.parquet

    day, moment = datetime.date(2024, 1, 31), datetime.datetime(2024, 1, 31, 12, 30, 1, 123456)
    table = pyarrow.table({
        "text": ["Oil", None, ""],
        "int": pyarrow.array([1, None, -(2**63)], pyarrow.int64()),
        "unsigned": pyarrow.array([2**64 - 1, 0, None], pyarrow.uint64()),
        "date": pyarrow.array([day, None, datetime.date(1, 1, 1)], pyarrow.date32()),
        "us": pyarrow.array([moment, None, moment], pyarrow.timestamp("us")),
        "ms": pyarrow.array([datetime.datetime(2024, 1, 31, 12), None, None], pyarrow.timestamp("ms")),
        "zone": pyarrow.array([moment, None, None], pyarrow.timestamp("us", "UTC")),
        "decimal": pyarrow.array([decimal.Decimal("1.50"), None, None], pyarrow.decimal128(10, 2)),
        "bool": [True, False, None],
        "category": pyarrow.array(["a", "b", None]).dictionary_encode(),
        "list": pyarrow.array([["a"], [], None]),
    })
    pyarrow.parquet.write_table(table, folder / "pyarrow.parquet")
    pyarrow.parquet.write_table(table, folder / "int96.parquet", use_deprecated_int96_timestamps=True)
    for codec in ("snappy", "gzip", "brotli", "zstd", "lz4", "none"):
        pyarrow.parquet.write_table(table, folder / f"{codec}.parquet", compression=codec, data_page_version="2.0")
    polars.from_arrow(table).write_parquet(folder / "polars.parquet")
    tab = table  # DuckDB finds it by this name
    duckdb.sql(f"COPY (FROM tab) TO '{folder}/duckdb.parquet' (FORMAT parquet)")
    paths = sorted(folder.glob("*.parquet"))
    outcomes, listed = collections.Counter(), []
    for path, ours in zip(paths, cells(binary, paths)):
        expected = pyarrow.parquet.read_table(path)
        if path.name == "int96.parquet":
            # pyarrow forgets the zone that the file's schema has; Albertine keeps it.
            expected = expected.set_column(6, "zone", expected["zone"].cast(pyarrow.timestamp("us", "UTC")))
        wanted = [[shown(cell) for cell in row.values()] for row in expected.to_pylist()]
        good = "error" not in ours and [[comparable(c) for c in row] for row in ours["rows"]] == wanted
        outcomes["same" if good else "other"] += 1
        if not good:
            listed.append((path, "parquet", ours, wanted, None, None))
    return outcomes, listed


# Usual values, nulls, the first day of the Gregorian calendar and the last before it, and the ends of the centuries. Nine
# years are left at the beginning, since Python has no day before year 1 and the calendars differ.
SPARK_ROWS = """
    SELECT * FROM VALUES
        (0, 'Oil', DATE'2024-01-31', TIMESTAMP'2024-01-31 12:30:01.123456', TIMESTAMP_NTZ'2024-01-31 12:30:01.123456',
            1.50BD, 12345678901234.5678BD, 1234567890123456789012345678.0123456789BD, X'00ff', 1.5D, true, 1Y,
            array('a', null), named_struct('name', 'Käse', 'price', 2.50BD), map('k', DATE'2024-02-29'), 2024, 'world'),
        (1, '', DATE'1582-10-15', TIMESTAMP'1582-10-15 00:00:00', TIMESTAMP_NTZ'1582-10-15 00:00:00',
            -0.01BD, -0.0001BD, -0.0000000001BD, X'', -0.25D, false, -128Y,
            array(), named_struct('name', null, 'price', null), map(), 2024, 'a/b=c d'),
        (2, '株式', DATE'1582-10-04', TIMESTAMP'1582-10-04 23:59:59.999999', TIMESTAMP_NTZ'1582-10-04 23:59:59.999999',
            999.99BD, 0.0000BD, 0.0000000000BD, X'e6a0aa', 0D, null, 127Y,
            null, null, null, 2023, null),
        (3, null, DATE'1500-02-28', TIMESTAMP'1500-03-01 06:00:00', TIMESTAMP_NTZ'1500-03-01 06:00:00',
            null, null, null, null, null, true, null,
            array('b', 'c'), named_struct('name', 'x', 'price', 0.10BD), map('a', null, 'b', DATE'1500-02-28'), 2023, ''),
        (4, 'Gold', DATE'0010-01-01', TIMESTAMP'0010-01-01 00:00:00', TIMESTAMP_NTZ'0010-01-01 00:00:00',
            0.00BD, 1.0000BD, 1.0000000000BD, X'61', -1.25D, false, 0Y,
            array('d'), named_struct('name', '', 'price', 1.00BD), map('', DATE'0010-01-01'), null, 'world'),
        (5, 'a, "b"', DATE'9999-12-31', TIMESTAMP'9999-12-31 23:59:59.999999', TIMESTAMP_NTZ'9999-12-31 23:59:59.999999',
            1.00BD, 2.0000BD, 3.0000000000BD, X'62', 0.1D, null, 5Y,
            array(''), named_struct('name', 'y', 'price', 9.99BD), map('z', DATE'9999-12-31'), 2022, 'sport')
        AS (id, text, day, moment, ntz, small, middle, large, binary, double, bool, tiny, list, struct, map, year, topic)
"""


def sparks(binary, folder):
    """Folders as Spark writes them: partitions, kinds of timestamps, calendars, codecs and layouts of nested values."""
    import pyarrow.dataset
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config(
        "spark.sql.session.timeZone", "UTC").config("spark.log.level", "ERROR").getOrCreate()
    codecs = itertools.cycle(("snappy", "gzip", "zstd", "lz4_raw", "uncompressed"))
    paths = []
    for time, calendar, legacy, columns in itertools.product(
            ("INT96", "TIMESTAMP_MICROS", "TIMESTAMP_MILLIS"), ("CORRECTED", "LEGACY"), (False, True),
            ((), ("year",), ("topic",), ("year", "topic"), ("day",))):
        codec = next(codecs)
        session.conf.set("spark.sql.parquet.outputTimestampType", time)
        session.conf.set("spark.sql.parquet.datetimeRebaseModeInWrite", calendar)
        session.conf.set("spark.sql.parquet.int96RebaseModeInWrite", calendar)
        session.conf.set("spark.sql.parquet.writeLegacyFormat", str(legacy).lower())
        layout = "legacy" if legacy else "standard"
        path = folder / "-".join(("spark", time, calendar, layout, codec, *columns))
        session.sql(SPARK_ROWS).repartition(2).write.partitionBy(*columns).option("compression", codec).parquet(str(path))
        paths.append(path)
    session.stop()
    outcomes, listed = collections.Counter(), []
    # pyarrow takes INT96 for nanoseconds unless it is told, and these end in the year 2262.
    reading = pyarrow.dataset.ParquetFileFormat(read_options={"coerce_int96_timestamp_unit": "us"})
    for path, ours in zip(paths, cells(binary, paths)):
        expected = pyarrow.dataset.dataset(path, format=reading, partitioning="hive").to_table().to_pylist(
            maps_as_pydicts="strict")
        wanted = {row["id"]: {name: shown(cell) for name, cell in row.items()} for row in expected}
        found = {}
        for row in ours.get("rows", []):
            row = dict(zip(ours["columns"], row))
            found[int(row["id"])] = {name: comparable(cell) for name, cell in row.items()}
        good = len(expected) == len(ours.get("rows", [])) == 6 and found == wanted
        outcomes["same" if good else "other"] += 1
        if not good:
            listed.append((path, "spark", ours, list(wanted.values()), None, None))
    return outcomes, listed


def shown(cell):
    """A value of pyarrow as `cells` prints it."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, datetime.datetime):
        return comparable(cell.isoformat().replace("+00:00", "Z"))
    if isinstance(cell, decimal.Decimal):
        return format(cell, "f")
    if isinstance(cell, bytes):
        return cell.hex()
    if isinstance(cell, list):
        return "[" + ", ".join(shown(inner) or "" for inner in cell) + "]"
    if isinstance(cell, dict):
        return "{" + ", ".join(f"{name}: {shown(inner) or ''}" for name, inner in cell.items()) + "}"
    return str(cell)


def comparable(cell):
    """Without zeros at the end of a second's fraction."""
    if cell is None or "T" not in cell or "." not in cell:
        return cell
    zone = "Z" if cell.endswith("Z") else ""
    return cell.removesuffix("Z").rstrip("0").rstrip(".") + zone


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the example `cells` of crates/engine")
    parser.add_argument("--tables", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", type=int, default=10, help="how many disagreements to print")
    parser.add_argument("--keep", type=Path, help="a folder for the tables")
    args = parser.parse_args()
    failed = False
    comparisons = [("csv", lambda f: delimited(args.binary, args.tables, random.Random(args.seed), f)),
                   ("json", lambda f: jsons(args.binary, args.tables, random.Random(args.seed), f)),
                   ("parquet", lambda f: parquets(args.binary, f)),
                   ("spark", lambda f: sparks(args.binary, f))]
    if importlib.util.find_spec("pyspark") is None:
        del comparisons[-1]
        print("spark skipped: pyspark is not installed")
    with tempfile.TemporaryDirectory() as temporary:
        for kind, compare in comparisons:
            folder = (args.keep or Path(temporary)) / kind
            folder.mkdir(parents=True)
            outcomes, listed = compare(folder)
            print(kind, dict(outcomes))
            for path, dialect, ours, wanted, one, two in listed[: args.list]:
                print(f"  {path.name} {dialect}\n    ours   {json.dumps(ours, ensure_ascii=False)[:600]}")
                print(f"    wanted {str(wanted)[:600]}\n    duckdb {str(one)[:300]}\n    polars {str(two)[:300]}")
            failed |= outcomes["other"] > 0
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
