"""The wheel's requirement: the torch that it is built with, whose C++ interface has no promise of staying the same."""

from importlib.metadata import version


def dynamic_metadata(settings, project):
    """Called by scikit-build-core."""
    return {"dependencies": ["torch==" + version("torch").partition("+")[0]]}


def dynamic_wheel(settings):
    """A wheel made of a source archive may be built with another one than the archive was made with."""
    return {"dependencies": True}
