#!/usr/bin/env python3
"""./dev fleet: three real gateways, a broker and a sidecar in scale mode, for a person to play with.

What it prints can be typed in another terminal. Ctrl-C ends all of it.
"""
import signal
import sys
import time

import janus_fleet
from sidecar import Sidecar, toml

HINT = """
Three gateways, probed over HTTP and MQTT. In another terminal:

  curl -s http://{address}/v2/room_server -d '{{"room":"2171"}}'   # which gateway?
  {binary} status --server {address}
  kill -9 {pids[gxy1]}        # gxy1 dies (gxy2: {pids[gxy2]}, gxy3: {pids[gxy3]}); its rooms move after 5 s
  {binary} explain 2171 --server {address}
  {binary} drain gxy2 --move --server {address}
  {binary} splits --server {address}

Gateways: {urls}
The log of the sidecar follows; Ctrl-C ends all.
"""


def main():
    if missing := janus_fleet.missing():
        return f"This Debian has no {' and no '.join(missing)}. ./dev fleet etcd needs neither."
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    fleet = janus_fleet.Fleet(broker=True)
    sidecar = None
    try:
        fleet.broker.start()
        fleet.start()
        sidecar = Sidecar(toml(
            scale=True, unknown_rooms="accept", gateways=fleet.entries(), rooms={},
            health={"source": ["http", "mqtt"], "mqtt_url": fleet.broker.url},
            occupancy={"source": "janus"}))
        sidecar.start()
        print(HINT.format(address=f"127.0.0.1:{sidecar.port}", binary="build/release/room-sidecar",
                          pids={name: gateway.process.pid for name, gateway in fleet.gateways.items()},
                          urls=" ".join(gateway.url for gateway in fleet.gateways.values())), flush=True)
        shown = 0
        while sidecar.process.poll() is None:
            time.sleep(0.2)
            log = sidecar.log()
            print(log[shown:], end="", flush=True)
            shown = len(log)
        return "the sidecar ended"
    except KeyboardInterrupt:
        return 0
    finally:
        if sidecar:
            sidecar.remove()
        fleet.remove()


if __name__ == "__main__":
    sys.exit(main())
