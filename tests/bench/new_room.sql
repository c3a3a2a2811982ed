-- pgbench: what gxydb-api does for a room that has none: each gateway's load, then the row.
\set room random(1000000, 9000000000000000)
SELECT gateway_name, count(*) FROM room_server_assignments GROUP BY gateway_name;
INSERT INTO room_server_assignments (room_id, gateway_name, region) VALUES (:room, 'gxy5', 'IL')
  ON CONFLICT (room_id) DO UPDATE SET last_used_at = now() RETURNING gateway_name;
