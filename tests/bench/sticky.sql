-- pgbench: what gxydb-api does for a room that has a gateway.
\set room random(2000, 2499)
SELECT gateway_name FROM room_server_assignments WHERE room_id = :room;
UPDATE room_server_assignments SET last_used_at = now() WHERE room_id = :room;
