"""Small files that ask for much: memory and time must stay in proportion to the file's size.

What is not refused for itself is refused at the very end, for a tensor that lies, so that all of it was read.
"""

import struct

from .build import Case, Global, model, opcodes, tensor

MILLION = 1_000_000
LIAR = opcodes(tensor(offset=5))
LIES = r"data\.pkl: offset \d+: a tensor reaches past its storage of 16 bytes"
UNFOLD = r"data\.pkl: offset \d+: shared values unfold to more than \d+"
COPIES = r"data\.pkl: offset \d+: its calls copy more values than the pickle's size warrants"


def put(value: bytes, index: int) -> bytes:
    return value + b"r" + struct.pack("<I", index)


def get(index: int) -> bytes:
    return b"j" + struct.pack("<I", index)


def doubling(levels: int, innermost: bytes) -> bytes:
    """Each tuple holds the one before it twice."""
    steps = (put(get(level) + b"2\x86", level + 1) for level in range(levels))
    return model(b"\x80\x02" + put(innermost, 0) + b"".join(steps) + b".")


def repeated(prepared: list[bytes], step: bytes, times: int) -> bytes:
    """Values in the memo, then a step that uses them, its result dropped each time; and a dict with a liar."""
    memo = b"".join(put(value, index) + b"0" for index, value in enumerate(prepared))
    return model(b"\x80\x02" + memo + (step + b"0") * times + opcodes({"weight": tensor(offset=5)}) + b".")


def in_a_list(prepared: list[bytes], step: bytes, times: int) -> bytes:
    memo = b"".join(put(value, index) + b"0" for index, value in enumerate(prepared))
    return model(b"\x80\x02" + memo + b"](" + step * times + LIAR + b"e.")


LONG_TEXT = opcodes("a" * MILLION)
LONG_LIST = b"](" + b"N" * (MILLION // 10) + b"e"
LONG_TUPLE = b"(" + b"N" * (MILLION // 10) + b"t"
ENCODE = opcodes(Global("_codecs.encode"))
SIZE = opcodes(Global("torch.Size"))
SET = opcodes(Global("builtins.set"))
CLASS = opcodes(Global("their.Class"))
ONE_IN_ANOTHER = b"q\1" + b"0" + get(0) + get(1) + b"\x85R"  # the value at the top as the argument of an object
LATIN1 = opcodes("latin1")


def module(parameters: bytes, modules: bytes) -> bytes:
    """An object with the state of an nn.Module; "modules" are the opcodes of keys and values."""
    parts = opcodes("_parameters") + b"}(" + parameters + b"u" + opcodes("_buffers") + b"}"
    return get(0) + b")\x81}(" + parts + opcodes("_modules") + b"}(" + modules + b"uub"


def nested_modules(levels: int, names: list[str], parameter: bytes) -> bytes:
    """Each module holds the one before it, under each of the names."""
    parameters = opcodes("w") + parameter if parameter else b""
    steps = put(CLASS, 0) + b"0" + put(module(parameters, b""), 1)
    for _ in range(levels):
        steps += b"0" + put(module(b"", b"".join(opcodes(name) + get(1) for name in names)), 1)
    return steps


def modules_that_double(levels: int, parameter=b"") -> bytes:
    return nested_modules(levels, ["a", "b"], parameter)


def modules_in_a_chain(levels: int) -> bytes:
    return nested_modules(levels, ["a"], b"")


CASES = [
    Case("tuples that double", lambda: doubling(60, b")"), UNFOLD),
    Case("tuples that double around a tensor", lambda: doubling(25, opcodes(tensor())), UNFOLD),
    Case("long list made into a set again and again",
         lambda: repeated([LONG_LIST, SET], get(1) + get(0) + b"\x85R", 10_000), COPIES),
    Case("long tuple given as arguments again and again",
         lambda: repeated([LONG_TUPLE, SIZE], get(1) + get(0) + b"R", 10_000), COPIES),
    Case("long text encoded again and again",
         lambda: repeated([LONG_TEXT, ENCODE, LATIN1], get(1) + get(0) + get(2) + b"\x86R", 10_000), LIES),
    Case("long key of one dict after another",
         lambda: in_a_list([LONG_TEXT], b"}(" + get(0) + b"NK\1Nu", 20_000), LIES),
    Case("long global by STACK_GLOBAL again and again",
         lambda: repeated([opcodes("__torch__"), LONG_TEXT], get(0) + get(1) + b"\x93", 10_000),
         r"data\.pkl: offset \d+: a global has a name of more than 512 bytes"),
    Case("long storage key again and again",
         lambda: repeated([LONG_TEXT], opcodes(("storage", Global("torch.FloatStorage")))[:-1] + get(0)
                          + opcodes("cpu") + b"K\4tQ", 10_000),
         r"data\.pkl: offset \d+: .*"),
    Case("a million lists in one another", lambda: model(b"\x80\x02" + b"]" * MILLION + b"a" * (MILLION - 1) + b"."),
         r"data\.pkl: offset \d+: nested more than 1000 levels deep"),
    Case("a million lists in one another, dropped",
         lambda: model(b"\x80\x02" + b"]" * MILLION + b"a" * (MILLION - 1) + b"0](" + LIAR + b"e."),
         LIES),
    Case("a million tuples in one another", lambda: model(b"\x80\x02" + b"(" * MILLION + b"t" * MILLION + b"."),
         r"data\.pkl: offset \d+: nested more than 1000 levels deep"),
    Case("a million dicts in one another",
         lambda: model(b"\x80\x02" + b"}K\1" * MILLION + b"N" + b"s" * MILLION + b"."),
         r"data\.pkl: offset \d+: nested more than 1000 levels deep"),
    Case("a million MARKs", lambda: model(b"\x80\x02" + b"(" * MILLION + b"."),
         r"data\.pkl: offset \d+: the stack is empty"),
    Case("an OrderedDict whose state is one, and so on",
         lambda: model(b"\x80\x02" + opcodes(Global("collections.OrderedDict")) + b"q\0"
                       + (b"h\0)R}K\1" * 100_000) + b"N" + b"sb" * 100_000 + b"."),
         r"data\.pkl: offset \d+: nested more than 1000 levels deep"),
    Case("half a million empty objects", lambda: repeated([CLASS], get(0) + b")R", MILLION // 2), LIES),
    Case("objects in one another, a hundred thousand times",
         lambda: model(b"\x80\x02" + CLASS + b"q\0" + b"0](N" + ONE_IN_ANOTHER * (MILLION // 10) + LIAR + b"e."), LIES),
    Case("objects called again, a million times",
         lambda: model(b"\x80\x02](" + CLASS + b")R" * MILLION + LIAR + b"e."), LIES),
    Case("objects of two of each other, sixty times",
         lambda: model(b"\x80\x02" + CLASS + b"q\0" + b"0](N"
                       + (b"q\1" + b"0" + get(0) + get(1) + get(1) + b"\x86R") * 60 + LIAR + b"e."), LIES),
    Case("long tuple given to objects again and again",
         lambda: repeated([LONG_TUPLE, CLASS], get(1) + get(0) + b"R", 10_000), LIES),
    Case("an object in its own state, pairs, items and keys",
         lambda: model(b"\x80\x02](" + CLASS + b")Rq\0h\0" + b"ah\0h\0s}K\1h\0sb" + LIAR + b"e."), LIES),
    Case("lists in themselves in an object",
         lambda: model(b"\x80\x02" + CLASS + b")R]q\0h\0" + b"ab."), r"data\.pkl: offset \d+: a value contains itself"),
    Case("tuples that double in an object",
         lambda: model(b"\x80\x02" + CLASS + b")RN" + b"2\x86" * 60 + b"b."), UNFOLD),
    Case("a hundred thousand modules' classes",
         lambda: repeated([opcodes(("module", Global("their.Class"), "f.py", "source"))], get(0) + b"Q)\x81", 100_000),
         LIES),
    Case("modules of two of each other, forty times", lambda: model(b"\x80\x02" + modules_that_double(40) + b"."),
         r"data\.pkl: offset \d+: its modules unfold to too many"),
    Case("modules in one another, ten thousand times", lambda: model(b"\x80\x02" + modules_in_a_chain(10_000) + b"."),
         r"data\.pkl: offset \d+: its modules are nested too deep, or contain themselves"),
    Case("tensors of modules of two of each other, forty times",
         lambda: model(b"\x80\x02" + modules_that_double(40, opcodes(tensor())) + b"."),
         r"data\.pkl: offset \d+: the names of its tensors take more memory than its size warrants"),
]  # fmt: skip
