"""What tests in Python print: TAP, one line for each check, counted by `make check`."""
import os

number = failures = 0

# The build with sanitizers (all.sh): each path of the code once. That the same comes out again and again is the plain build's to show.
BRIEF = os.environ.get('EXTRIAGE_BRIEF') == '1'


def result(ok, name, detail=''):
    global number, failures
    number += 1
    print('%sok %d - %s' % ('' if ok else 'not ', number, name), flush=True)
    if not ok:
        failures += 1
        for line in str(detail).splitlines()[:40]:
            print('# ' + line[:600])


def skip(name, why):
    global number
    number += 1
    print('ok %d - %s # SKIP %s' % (number, name, why), flush=True)


def skip_all(why):
    print('1..0 # SKIP %s' % why)


def has_sanitizers(program):
    """Whether it was built with AddressSanitizer, which brings its own allocator."""
    with open(program, 'rb') as file:
        return b'__asan_init' in file.read()


def plan():
    """The last line; gives the exit code."""
    print('1..%d' % number)
    return 1 if failures else 0
