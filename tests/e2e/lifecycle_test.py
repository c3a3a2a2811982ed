#!/usr/bin/env python3
"""Start and stop."""
import re
import signal
import socket
import threading
import time
import unittest

from pace import within
from sidecar import PATIENCE, Case, Client, toml, wait_until


class Lifecycle(Case):
    def test_sigterm_and_sigint_end_the_sidecar_in_time_with_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            sidecar = self.sidecar()
            idle = [Client("127.0.0.1", sidecar.port) for _ in range(20)]
            for client in idle:
                client.request("GET", "/healthz")
            with within(5):
                sidecar.process.send_signal(number)
                self.assertEqual(sidecar.process.wait(PATIENCE), 0)
            for client in idle:
                client.close()

    def test_answers_during_a_stop_close_their_connections(self):
        sidecar = self.sidecar()
        client = Client("127.0.0.1", sidecar.port)
        self.addCleanup(client.close)
        self.assertNotEqual(client.request("GET", "/healthz").headers.get("Connection"), "close")
        sidecar.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        answer = client.request("POST", "/v2/room_server", {"room": "2171"})
        self.assertEqual((answer.status, answer.headers["Connection"]), (200, "close"))
        self.assertEqual(sidecar.process.wait(PATIENCE), 0)

    def test_write_behind_is_in_the_file_after_a_stop(self):
        sidecar = self.sidecar(toml(scale=True))
        sidecar.enter("2171", "a")
        sidecar.enter("2172", "b")
        sidecar.leave("2172", "b")
        self.assertEqual(sidecar.stop(), 0)
        self.assertEqual(list(sidecar.assignments_in_file()), ["2171"])
        self.assertEqual(len(sidecar.sql("SELECT * FROM sessions")), 1)

    def test_a_started_sidecar_is_alive_and_ready(self):
        sidecar = self.sidecar()
        self.assertEqual(sidecar.get("/healthz").status, 200)
        ready = sidecar.get("/readyz")
        self.assertEqual((ready.status, ready.json), (200, {"status": "ok", "reasons": []}))

    def test_the_log_names_version_and_addresses_at_the_start(self):
        sidecar = self.sidecar(toml(scale=True))
        log = sidecar.log()
        self.assertRegex(log, rf"INFO: Listening address=127\.0\.0\.1:{sidecar.port}\n")
        version = sidecar.run("--version", config=False).stdout.strip().split()[-1]
        self.assertTrue([line for line in log.splitlines()
                         if re.search(r" INFO: ", line) and version in line
                         and re.search(r"scale", line)], log)

    def test_a_port_in_use_exits_1(self):
        taken = self.sidecar()
        second = self.sidecar(start=False, env={"LISTEN_ADDRESS": f"127.0.0.1:{taken.port}"})
        self.assertEqual(second.start_and_fail(), 1)
        self.assertIn(str(taken.port), second.log())

    def test_a_bad_configuration_exits_2_with_every_problem(self):
        sidecar = self.sidecar(toml(balancing={"max_server_capacity": 0},
                                    sessions={"nonsense": "1s"}), start=False)
        self.assertEqual(sidecar.start_and_fail(), 2)
        self.assertIn("max_server_capacity", sidecar.log())
        self.assertIn("nonsense", sidecar.log())

    def test_a_named_configuration_must_be_there(self):
        sidecar = self.sidecar(start=False)
        sidecar.config_file.unlink()
        self.assertEqual(sidecar.start_and_fail(), 2)

    def test_the_sidecar_listens_on_ipv6_and_unix_sockets(self):
        if has_ipv6():
            six = self.sidecar(env={"LISTEN_ADDRESS": "[::1]:0"})
            self.assertEqual(six.ask("2171").janus, "gxy1")
        sidecar = self.sidecar(start=False)
        path = sidecar.folder / "socket"
        sidecar.env["LISTEN_ADDRESS"] = f"unix:{path}"
        for _ in range(2):  # the second time over a socket file that nobody answers
            sidecar.start()
            self.assertEqual(path.stat().st_mode & 0o777, 0o660)
            self.assertIn(b'{"janus":"gxy1"}', ask_at(path))
            sidecar.kill()

    def test_a_deleted_socket_file_is_there_again_within_a_second(self):
        sidecar = self.sidecar(start=False)
        path = sidecar.folder / "socket"
        sidecar.env["LISTEN_ADDRESS"] = f"unix:{path}"
        sidecar.start()
        line = f"ERROR: Socket file was deleted; created it again address=unix:{path}"
        for times in (1, 2):
            path.unlink()
            with within(1):
                wait_until(path.exists, "the socket file")
                self.assertIn(b'{"janus":"gxy1"}', ask_at(path))
            wait_until(lambda times=times: sidecar.log().count(line) == times, "one ERROR each time")
        # A file in its place is not removed; it is logged once.
        path.unlink()
        path.write_text("mine")
        sidecar.wait_for_log("ERROR: Socket file was deleted and cannot be created again")
        self.assertEqual(path.read_text(), "mine")
        path.unlink()
        sidecar.wait_for_log("INFO: Socket file created again")
        self.assertIn(b'{"janus":"gxy1"}', ask_at(path))
        self.assertEqual(sidecar.log().count("ERROR: "), 3)
        self.assertEqual(sidecar.stop(), 0)
        self.assertFalse(path.exists())

    def test_a_file_that_is_no_socket_is_not_replaced(self):
        sidecar = self.sidecar(start=False)
        path = sidecar.folder / "precious"
        path.write_text("mine")
        sidecar.env["LISTEN_ADDRESS"] = f"unix:{path}"
        self.assertEqual(sidecar.start_and_fail(), 1)
        self.assertEqual(path.read_text(), "mine")

    def test_a_socket_from_systemd_is_served_and_left_open(self):
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
            port = listener.getsockname()[1]
            sidecar = self.sidecar(start=False, env={"LISTEN_ADDRESS": "127.0.0.1:1"})
            # fd 3 and LISTEN_PID are to be those of the process itself, as systemd does it
            sidecar.wrapped_in = ["bash", "-c", f'exec 3<&{listener.fileno()}; '
                                  'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', "bash"]
            sidecar.inherited = [listener.fileno()]
            sidecar.start()
            self.assertEqual((sidecar.port, sidecar.ask("2171").janus), (port, "gxy1"))
            sidecar.wait_for_log('WARN: http.listen has no effect: systemd hands over another socket, see '
                                 f"room-sidecar.socket http.listen=127.0.0.1:1 address=127.0.0.1:{port}")
            sidecar.client.close()
            self.assertEqual(sidecar.stop(), 0)
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                pass  # the backlog still takes it: no restart refuses a connection
            sidecar.start()
            self.assertEqual(sidecar.ask("2171").janus, "gxy1")

    def test_a_stop_under_load_loses_no_room(self):
        sidecar = self.sidecar(toml(scale=True, unknown_rooms="accept"))
        answered, refused = {}, []
        stop = threading.Event()

        def ask(worker):
            client = Client("127.0.0.1", sidecar.port)
            for number in range(100000):
                if stop.is_set():
                    break
                room = f"{worker}-{number}"
                try:
                    answer = client.request("POST", "/v2/room_server", {"room": room})
                except OSError:
                    break  # it is gone
                if answer.status == 200:
                    answered[room] = answer.janus
                else:
                    refused.append(answer)
            client.close()

        workers = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
        for worker in workers:
            worker.start()
        wait_until(lambda: len(answered) > 50, "some answers")
        self.assertEqual(sidecar.stop(), 0)
        stop.set()
        for worker in workers:
            worker.join()
        in_file = sidecar.assignments_in_file()
        self.assertEqual({room: in_file.get(room) for room in answered}, answered)
        self.assertFalse([a for a in refused if a.status != 503], refused)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def ask_at(path):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(b'POST /v2/room_server HTTP/1.1\r\nHost: anything.example\r\n'
                           b'Connection: close\r\nContent-Length: 15\r\n\r\n{"room":"2171"}')
        text = b""
        while chunk := connection.recv(4096):
            text += chunk
        return text


if __name__ == "__main__":
    unittest.main()
