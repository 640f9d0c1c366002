"""What hostile files are built from: pickles, opcode by opcode, and zip archives, field by field."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """A file that must be refused.

    `build` makes its bytes. `message` is a regular expression for what comes behind "iris: error: PATH: ".
    """

    name: str
    build: Callable[[], bytes]
    message: str
    # The structure is right, only the data is not: inspect, which reads none, may succeed.
    only_data: bool = False


# Pickles.


@dataclass(frozen=True)
class Raw:
    opcodes: bytes


@dataclass(frozen=True)
class Global:
    name: str


class Call:
    def __init__(self, function: str, *arguments):
        self.function = Global(function)
        self.arguments = arguments


@dataclass(frozen=True)
class PersistentId:
    id: object


ORDERED_DICT = Call("collections.OrderedDict")


def opcodes(value) -> bytes:
    """What puts the value on the stack, in protocol 2 and without a memo."""
    match value:
        case Raw():
            return value.opcodes
        case Global():
            module, name = value.name.rsplit(".", 1)
            return f"c{module}\n{name}\n".encode()
        case Call():
            return opcodes(value.function) + opcodes(value.arguments) + b"R"
        case PersistentId():
            return opcodes(value.id) + b"Q"
        case None:
            return b"N"
        case bool():
            return b"\x88" if value else b"\x89"
        case int():
            size = value.bit_length() // 8 + 1
            return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)
        case str():
            utf8 = value.encode()
            return b"X" + struct.pack("<I", len(utf8)) + utf8
        case tuple():
            return b"(" + b"".join(map(opcodes, value)) + b"t"
        case dict():
            return b"}(" + b"".join(opcodes(part) for item in value.items() for part in item) + b"u"
    raise TypeError(value)


def pickled(value) -> bytes:
    return b"\x80\x02" + opcodes(value) + b"."


def storage(key="0", type="torch.FloatStorage", numel=4, location="cpu") -> PersistentId:
    return PersistentId(("storage", Global(type), key, location, numel))


def tensor(shape=(2, 2), strides=(2, 1), offset=0, on=None, requires_grad=False, *metadata) -> Call:
    """By default of storage "0", of four float32."""
    on = storage() if on is None else on
    function = "torch._utils._rebuild_tensor_v2"
    return Call(function, on, offset, shape, strides, requires_grad, ORDERED_DICT, *metadata)


# Zip archives.


@dataclass
class Entry:
    name: str | bytes
    data: bytes = b""
    flags: int = 0
    method: int = 0
    crc: int | None = None
    size: int | None = None  # claimed, of the data when unpacked
    packed_size: int | None = None  # claimed
    offset: int | None = None  # claimed, of the local header
    local: dict = field(default_factory=dict)  # what the local header says otherwise
    has_local: bool = True


def zip_bytes(entries: list[Entry], prefix=b"", between=b"", comment=b"", suffix=b"", **end) -> bytes:
    """An archive whose headers say what the entries and `end` (count, size, offset) say, true or not."""
    archive, directory = prefix, b""
    for entry in entries:
        crc = zlib.crc32(entry.data) if entry.crc is None else entry.crc
        size = len(entry.data) if entry.size is None else entry.size
        packed = len(entry.data) if entry.packed_size is None else entry.packed_size
        name = entry.name.encode() if isinstance(entry.name, str) else entry.name
        said = {"name": name, "flags": entry.flags, "method": entry.method, "crc": crc, "size": size, "packed": packed}
        offset = len(archive) if entry.offset is None else entry.offset
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + _fields(said)
        directory += struct.pack("<HHHII", 0, 0, 0, 0, offset) + name
        if entry.has_local:
            local = {**said, **entry.local}
            archive += b"PK\x03\x04" + _fields(local) + local["name"] + entry.data
    archive += between
    count = end.get("count", len(entries))
    size, offset = end.get("size", len(directory)), end.get("offset", len(archive))
    return (
        archive
        + directory
        + b"PK\x05\x06"
        + struct.pack("<HHHHIIH", 0, 0, count, count, size, offset, len(comment))
        + comment
        + suffix
    )


def _fields(said: dict) -> bytes:
    """From the version that is needed to the length of the extra field."""
    times = 0, 33
    sizes = said["crc"], said["packed"], said["size"], len(said["name"]), 0
    return struct.pack("<HHHHHIIIHH", 20, said["flags"], said["method"], *times, *sizes)


GOOD_PICKLE = pickled({"weight": tensor()})
GOOD_DATA = struct.pack("<4f", 1, 2, 3, 4)


def entries(pickle=GOOD_PICKLE, storages=None, version=b"3\n", byteorder=b"little", root="model") -> list[Entry]:
    """A model's entries; of None there is none."""
    parts = {"data.pkl": pickle, "version": version, "byteorder": byteorder}
    storages = {"0": GOOD_DATA} if storages is None else storages
    parts |= {f"data/{key}": data for key, data in storages.items()}
    return [Entry(f"{root}/{name}", data) for name, data in parts.items() if data is not None]


def model(pickle=GOOD_PICKLE, storages=None, **options) -> bytes:
    return zip_bytes(entries(pickle, storages, **options))


def changed(name: str, **fields) -> bytes:
    """A good model, one entry's headers apart."""
    changed_entries = entries()
    for entry in changed_entries:
        if entry.name == f"model/{name}":
            for key, value in fields.items():
                setattr(entry, key, value)
    return zip_bytes(changed_entries)
