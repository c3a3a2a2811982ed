#!/usr/bin/env python3
"""./dev fleet etcd: three sidecars that share three real members of etcd, for a person to play with.

What it prints can be typed in another terminal. Ctrl-C ends all of it.
"""
import os
import signal
import sys
import time

from etcd import Etcd
from fleet import Member, config

HINT = """
Three sidecars share their assignments in three members of etcd. In another terminal:

{questions}
  {binary} status --server {first}      # the fleet, and the engine's members
  curl -s http://{first}/v2/cluster

Let something break; known rooms go on, and no room gets two answers:

{breaks}
  ETCDCTL_API=3 etcdctl --endpoints {endpoints} get --prefix {prefix}

The logs of the sidecars follow; Ctrl-C ends all.
"""


def hint(etcd, sidecars):
    addresses = [f"127.0.0.1:{sidecar.port}" for sidecar in sidecars]
    questions = [f"""  curl -s http://{address}/v2/room_server -d '{{"room":"2171"}}'""" for address in addresses]
    breaks = [f"  kill -9 {member.process.pid}       # etcd's member {member.name}"
              + (", the leader" if member is etcd.leader() else "") for member in etcd]
    breaks += [f"  kill -9 {sidecar.process.pid}       # the sidecar at {address}"
               for sidecar, address in zip(sidecars, addresses)]
    breaks.append(f"  kill -STOP {etcd.leader().process.pid}    # the leader hangs; it goes on with -CONT")
    return HINT.format(questions="\n".join(questions), breaks="\n".join(breaks), first=addresses[0],
                       endpoints=",".join(etcd.endpoints), prefix=etcd.prefix,
                       binary=os.environ.get("ROOM_SIDECAR"))


def follow(sidecars):
    """Until nobody is left."""
    shown = dict.fromkeys(sidecars, 0)
    names = {sidecar: f"[{number}] " for number, sidecar in enumerate(sidecars, 1)}
    while any(sidecar.process.poll() is None for sidecar in sidecars):
        for sidecar in sidecars:
            lines = sidecar.log()[shown[sidecar]:].splitlines(keepends=True)
            for line in lines:
                if line.endswith("\n"):
                    shown[sidecar] += len(line)
                    print(names[sidecar] + line, end="", flush=True)
        time.sleep(0.2)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    etcd, sidecars = Etcd(members=3), []
    try:
        etcd.start()
        for _ in range(3):
            sidecars.append(Member(config(etcd.settings(), sessions={"join_grace": "2m"})))
            sidecars[-1].start()
        print(hint(etcd, sidecars), flush=True)
        follow(sidecars)
        return "the sidecars ended"
    except KeyboardInterrupt:
        return 0
    finally:
        for sidecar in sidecars:
            sidecar.remove()
        etcd.remove()


if __name__ == "__main__":
    sys.exit(main())
