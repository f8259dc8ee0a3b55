#!/usr/bin/env python3
"""TAXII 2.1, rule by rule, against a real server: prints TAP, exits 1 when a check fails.

    conformance.py PATH-OF-taxii_server
"""
import sys
import traceback

import checks_forms
import checks_reading
import checks_resources
import checks_writing
from harness import World


def main():
    world = World(sys.argv[1])
    parts = [part for module in (checks_resources, checks_writing, checks_reading,
                                checks_forms)
             for part in module.PARTS] + list(checks_resources.LAST)
    for part in parts:
        if len(sys.argv) > 2 and part.__name__ not in sys.argv[2:]:
            continue
        try:
            part(world)
        except Exception:  # one broken part must not hide the others
            world.book.ok("-", False, "%s ran to its end" % part.__name__,
                          traceback.format_exc().replace("\n", " | "))
    world.book.equal("-", world.close(), 0, "the server ended without complaint")
    return world.book.finish()


if __name__ == "__main__":
    sys.exit(main())
