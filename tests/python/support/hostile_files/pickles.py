"""Pickles that are damaged, or that want something run."""

import re

from .build import Case, Global, model, opcodes, tensor

ATTACKS = [
    "os.system",
    "posix.system",
    "subprocess.Popen",
    "builtins.eval",
    "__builtin__.exec",
    "builtins.compile",
    "runpy._run_code",
    "pty.spawn",
    "socket.create_connection",
    "importlib.import_module",
    "torch.hub.load",
]


def refused(name: str, opcode_bytes: bytes, fact: str) -> Case:
    """A pickle of these opcodes behind its PROTO."""
    return Case(name, lambda: model(b"\x80\x02" + opcode_bytes), rf"data\.pkl: offset \d+: {fact}")


def call_of(name: str, arguments: bytes = b")") -> bytes:
    return opcodes(Global(name)) + arguments + b"R"


def attack(name: str, code: bytes, form: str) -> Case:
    shown = re.escape(name.replace("__builtin__", "builtins"))
    fact = f"names {shown}, which runs programs: the file is made to attack whoever unpickles it. .*"
    return refused(f"{form} of {name}", code, fact)


def attacks(name: str) -> list[Case]:
    """By every opcode that can reach it, as a key and as an argument of another call."""
    module, attribute = name.rsplit(".", 1)
    name_it, run = opcodes(Global(name)), opcodes(("echo hurt",))
    return [
        attack(name, name_it + run + b"R.", "REDUCE"),
        attack(name, opcodes(module) + opcodes(attribute) + b"\x93" + run + b"R.", "STACK_GLOBAL"),
        attack(name, b"(X\1\0\0\0xi" + f"{module}\n{attribute}\n.".encode(), "INST"),
        attack(name, b"(" + name_it + b"X\1\0\0\0xo.", "OBJ"),
        attack(name, b"}" + name_it + b"K\1s.", "key"),
        attack(name, call_of("functools.partial", b"(" + name_it + b"t") + b".", "argument"),
    ]


EMPTY = r"the stack is empty"
NO_MARK = r"there is no MARK"
BEYOND = r"\d+ bytes are needed, \d+ are left"

UNDERFLOWS = {"POP": b"0", "DUP": b"2", "STOP": b".", "TUPLE2": b"N\x86", "APPEND": b"]a", "SETITEM": b"}Ns",
              "REDUCE": b")R", "BUILD": b"}b", "BINPUT": b"q\0", "BINPERSID": b"Q", "NEWOBJ": b")\x81",
              "STACK_GLOBAL": b"X\0\0\0\0\x93"}  # fmt: skip
MARKLESS = {"TUPLE": b"t", "LIST": b"l", "DICT": b"d", "APPENDS": b"]e", "SETITEMS": b"}u", "POP_MARK": b"1",
            "ADDITEMS": b"\x8f\x90", "FROZENSET": b"\x91"}  # fmt: skip
NOT_ALLOWED = {"EXT1": 0x82, "EXT2": 0x83, "EXT4": 0x84, "NEXT_BUFFER": 0x97, "READONLY_BUFFER": 0x98}

CASES = [
    *(case for name in ATTACKS for case in attacks(name)),
    *(refused(f"stack underflow on {name}", code, EMPTY) for name, code in UNDERFLOWS.items()),
    *(refused(f"{name} without a MARK", code, NO_MARK) for name, code in MARKLESS.items()),
    refused("pickle without STOP", b"", r"the pickle ends without STOP"),
    refused("dict without STOP", b"}", r"the pickle ends without STOP"),
    Case("empty pickle", lambda: model(b""), r"data\.pkl: offset 0: the pickle ends without STOP"),
    Case("pickle of protocol 6",
        lambda: model(b"\x80\x06}."), r"data\.pkl: offset 0: pickle protocol 6 is unknown; .*"),
    refused("text of 4 GB", b"X\xff\xff\xff\xff.", BEYOND),
    refused("text of 2^64 bytes", b"\x8d" + b"\xff" * 8 + b".", BEYOND),
    refused("bytes of 4 GB", b"B\0\0\0\xf0.", BEYOND),
    refused("bytearray of 2^63 bytes", b"\x96" + b"\xff" * 7 + b"\x7f.", BEYOND),
    refused("integer of 2 GB", b"\x8b\xff\xff\xff\x7f.", BEYOND),
    refused("integer of a negative length", b"\x8b\xff\xff\xff\xff.", r"an integer has a negative length"),
    refused("string of a negative length", b"T\xff\xff\xff\xff.", r"a string has a negative length"),
    refused("frame of 2^64 bytes", b"\x95" + b"\xff" * 8 + b"}.", r"a frame reaches past the end"),
    refused("LONG1 of 255 bytes with 9", b"\x8a\xff" + bytes(9) + b".", BEYOND),
    refused("text that is no UTF-8", b"X\2\0\0\0\xc3\x28.", r"a string is not UTF-8"),
    refused("text badly escaped", b"Vhalf \\u12\n.", r"a string is badly escaped"),
    refused("text badly quoted", b"S'half\n.", r"a string is badly quoted"),
    refused("integer with a letter", b"I12x\n.", r'not an integer: "12x"'),
    refused("integer of 10,000 digits", b"L" + b"9" * 10_000 + b"L\n.", r'not an integer: .*'),
    refused("float in words", b"Fone\n.", r'not a number: "one"'),
    refused("line without an end", b"Ino end", r"a line has no end"),
    refused("memo index 0xFFFFFFFF",
        b"Nr\xff\xff\xff\xff.", r"memo index 4294967295 is beyond what the pickle's size warrants"),
    refused("memo index 2^64", b"Np18446744073709551616\n.", r'not a number: "18446744073709551616"'),
    refused("memo index that is missing", b"h\7.", r"memo index 7 was never put"),
    refused("memo index in a hole", b"Nr\xff\xff\0\0h\7.", r"memo index 7 was never put"),
    refused("list in itself", b"]q\0h\0a.", r"a value contains itself"),
    refused("dict in itself", b"}q\0X\1\0\0\0ah\0s.", r"a value contains itself"),
    refused("OrderedDict in its own state",
        call_of("collections.OrderedDict") + b"q\0}X\1\0\0\0ah\0sb.",
        r"a value contains itself"),
    refused("call of a text", opcodes("print") + opcodes(()) + b"R.", r"only a name or an object can be called"),
    refused("call of a tensor", opcodes(tensor()) + opcodes(()) + b"R.", r"only a name or an object can be called"),
    refused("NEWOBJ of a number", b"K\1)\x81.", r"only a name or an object can be called"),
    refused("NEWOBJ_EX with a list", opcodes(Global("a.B")) + b")]\x92.",
        r"a function's keyword arguments are not a dict"),
    refused("object with a list of arguments", call_of("a.B", b"]") + b".", r"a function's arguments are not a tuple"),
    refused("call with a list",
        call_of("torch.Size", b"]") + b".", r"a function's arguments are not a tuple"),
    refused("SETITEM on a list", b"]K\1K\2s.", r"items can be set in a dict only"),
    refused("SETITEM on a tensor", opcodes(tensor()) + b"K\1K\2s.", r"items can be set in a dict only"),
    refused("APPEND to a dict", b"}K\1a.", r"only a list can be added to"),
    refused("ADDITEMS to a list", b"](K\1\x90.", r"only a set can be added to"),
    refused("BUILD on a dict", b"}}b.", r"state can be given to an object, or as a dict to an OrderedDict, only"),
    refused("BUILD on a tensor",
        opcodes(tensor()) + b"}b.", r"state can be given to an object, or as a dict to an OrderedDict, only"),
    refused("BUILD with a list",
        call_of("collections.OrderedDict") + b"]b.", r"state can be given .*"),
    refused("SETITEMS of a key alone", b"}(K\1u.", r"a dict has a key without a value"),
    refused("DICT of a key alone", b"(K\1d.", r"a dict has a key without a value"),
    refused("list as a key", b"}]K\1s.", r"a dict has a key that is not a string, number or tuple"),
    refused("INST without a MARK", b"ia\nB\n.", NO_MARK),
    refused("OBJ of nothing", b"(o.", EMPTY),
    *(refused(f"{name} opcode", bytes([code, 1, 1, 1, 1]) + b".", f"opcode {code:#x} is not allowed in a state_dict")
      for name, code in NOT_ALLOWED.items()),
    refused("opcode 0xff", b"\xff.", r"opcode 0xff is not allowed in a state_dict"),
    refused("STACK_GLOBAL of numbers", b"K\1K\2\x93.", r"a global's name is not a string"),
    refused("rot13",
        call_of("_codecs.encode", opcodes(("ab", "rot13"))) + b".",
        r'_codecs\.encode is allowed with \(text, "latin1"\) only'),
    refused("latin1 of a euro sign",
        call_of("_codecs.encode", opcodes(("\u20ac", "latin1"))) + b".",
        r"_codecs\.encode was given a character beyond latin1"),
    refused("bytearray of 2^40",
        call_of("builtins.bytearray", opcodes((1 << 40,))) + b".",
        r"builtins\.bytearray is allowed with bytes only"),
    refused("OrderedDict of a number",
        call_of("collections.OrderedDict", opcodes((7,))) + b".",
        r"collections\.OrderedDict is made of something that is not a list"),
    refused("Counter of two",
        call_of("collections.Counter", opcodes((1, 2))) + b".",
        r"collections\.Counter has 2 arguments"),
]  # fmt: skip
