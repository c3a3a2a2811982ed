// The commands that talk to the running sidecar, against prepared answers on a real socket.
#include "canned_server.h"
#include "catch.h"
#include "scratch.h"
#include "store/owner.h"

namespace {

const std::string kGateways =
    R"({"gateways":[
    {"name":"gxy1","url":"","type":"rooms","state":"unknown","available":true,"disabled":false,
     "draining":false,"regions":["IL","RU"],"rooms":12,"users":103,"load":120,"capacity":400},
    {"name":"gxy2","url":"","type":"rooms","state":"unknown","available":true,"disabled":false,
     "draining":true,"regions":[],"rooms":0,"users":0,"load":0,"capacity":1000},
    {"name":"gxy3","url":"","type":"rooms","state":"unknown","available":false,"disabled":false,
     "draining":false,"regions":[],"rooms":0,"users":0,"load":0,"capacity":400}]})";

CannedServer::Answers status_answers() {
  return {{"GET /readyz", {200, R"({"status":"degraded","reasons":["disk full"]})"}},
          {"GET /v2/config", {200, R"({"gateways":{"rooms":{}},"scale":true})"}},
          {"GET /v2/gateways", {200, kGateways}}};
}

}  // namespace

TEST_CASE("status shows mode, health with its reasons, and the gateways with their load") {
  CannedServer server(status_answers());
  const Scratch scratch;
  const auto outcome = scratch.run({"status", "--server", server.address()});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out == "Sidecar  " + server.address() +
                           "\n"
                           "Mode     scale\n"
                           "Health   degraded\n"
                           "         disk full\n"
                           "\n"
                           "GATEWAY  STATE    FLAGS       REGIONS  ROOMS  USERS  LOAD  CAPACITY  USED\n"
                           "gxy1     unknown  -           IL,RU       12    103   120       400   30%\n"
                           "gxy2     unknown  draining    -            0      0     0      1000    0%\n"
                           "gxy3     unknown  not listed  -            0      0     0       400    0%\n"
                           "total                                     12    103   120      1800    7%\n");
}

TEST_CASE("status is JSON for programs") {
  CannedServer server(status_answers());
  const Scratch scratch;
  const auto outcome = scratch.run({"status", "--json", "--server", server.address()});
  CHECK(outcome.exit_code == 0);
  CHECK(contains(outcome.out, R"({"scale":true,"status":"degraded","reasons":["disk full"],)"
                              R"("gateways":[{"name":"gxy1",)"));
  CHECK(contains(outcome.out, R"("splits":null)"));  // of an older sidecar nobody knows
}

TEST_CASE("status shows split rooms: the first few to people, all to programs") {
  const auto split = [](int room) {
    return R"({"room":")" + std::to_string(room) +
           R"(\u001b","janus":"gxy1","gateways":[{"name":"gxy1","participants":2},{"name":"gxy2","participants":1}],)"
           R"("since":"2026-11-23T03:27:00.123Z"})";
  };
  std::string splits = split(1);
  const Scratch scratch;
  auto answers = status_answers();
  const auto run = [&](bool json) {
    answers["GET /v2/splits"] = {200, R"({"splits":[)" + splits + "]}"};
    CannedServer server(answers);
    std::vector<std::string> words{"status", "--server", server.address()};
    if (json) words.emplace_back("--json");
    return scratch.run(words).out;
  };
  CHECK(contains(run(false),
                 "Health   degraded\n"
                 "         disk full\n"
                 "         Split: 1\\x1b is answered with gxy1, but people are on gxy1 (2), gxy2 (1), "
                 "since 2026-11-23T03:27:00.123Z\n"
                 "\nGATEWAY "));
  CHECK(contains(run(true), R"(,"splits":[)" + split(1) + R"(],"cluster":null})"));
  for (int room = 2; room <= 9; ++room) splits += ',' + split(room);
  const auto text = run(false);
  CHECK(contains(text, "Split: 4\\x1b is answered"));
  CHECK_FALSE(contains(text, "Split: 5"));
  CHECK(contains(text, "\n         5 more rooms are split; `room-sidecar splits` lists them\n\nGATEWAY "));
  CHECK(contains(run(true), split(9)));
  splits.clear();
  CHECK_FALSE(contains(run(false), "plit"));
  CHECK(contains(run(true), R"("splits":[],)"));
}

TEST_CASE("status shows the sharing sidecars, the engine, and the age of the replica") {
  auto answers = status_answers();
  const std::string cluster =
      R"({"engine":"etcd","state":"stale","sidecar":"ab","revision":7,"age_ms":1250,"max_stale_ms":300000,)"
      R"("sidecars":[{"id":"ab","name":"one","address":"127.0.0.1:8082","version":"0.1.0",)"
      R"("since":"2026-11-23T03:27:00.123Z","self":true},{"id":"cd","name":"two\u001b","address":"unix:/s",)"
      R"("version":"0.1.0","since":"2026-11-23T03:28:00.123Z","self":false}],)"
      R"("members":[{"endpoint":"http://10.0.0.1:2379","name":"m1","version":"3.4.23","leader":true,"problem":null},)"
      R"({"endpoint":"http://10.0.0.2:2379","name":null,"version":null,"leader":false,"problem":"no answer"}]})";
  answers["GET /v2/cluster"] = {200, cluster};
  CannedServer server(answers);
  const Scratch scratch;
  auto outcome = scratch.run({"status", "--server", server.address()});
  CHECK(outcome.exit_code == 0);
  CHECK(contains(outcome.out,
                 "\n\nCluster  etcd, stale: changes by others may come late\n"
                 "         what is known is at most 1.2 s old (300 s may be answered)\n"
                 "\n"
                 "SIDECAR  ADDRESS         VERSION  SINCE                     ID\n"
                 "one      127.0.0.1:8082  0.1.0    2026-11-23T03:27:00.123Z  ab  this one\n"
                 "two\\x1b  unix:/s         0.1.0    2026-11-23T03:28:00.123Z  cd\n"
                 "\n"
                 "MEMBER                NAME  VERSION  LEADER  PROBLEM\n"
                 "http://10.0.0.1:2379  m1    3.4.23   yes     -\n"
                 "http://10.0.0.2:2379  -     -        -       no answer\n"));
  outcome = scratch.run({"status", "--json", "--server", server.address()});
  CHECK(contains(outcome.out, R"("cluster":{"engine":"etcd","state":"stale",)"));
}

TEST_CASE("status is silent about a fleet without [cluster], and with an older sidecar") {
  auto answers = status_answers();
  const Scratch scratch;
  {
    CannedServer older(answers);
    CHECK_FALSE(contains(scratch.run({"status", "--server", older.address()}).out, "Cluster"));
    CHECK(contains(scratch.run({"status", "--json", "--server", older.address()}).out, R"("cluster":null})"));
  }
  answers["GET /v2/cluster"] = {200, R"({"engine":"none","state":null,"sidecars":[],"members":[]})"};
  CannedServer alone(answers);
  CHECK_FALSE(contains(scratch.run({"status", "--server", alone.address()}).out, "Cluster"));
}

TEST_CASE("assignments of all pages are one table, or one JSON list") {
  CannedServer server({{"GET /v2/assignments?gateway=gxy%2F1&limit=1000",
                        {200, R"({"assignments":[{"room":"1\u001b","janus":"gxy/1","region":"IL","users":3,)"
                              R"("assigned_at":"2026-11-23T03:27:00.123Z","last_used_at":null}],"next":"1 +"})"}},
                       {"GET /v2/assignments?gateway=gxy%2F1&limit=1000&after=1%20%2B",
                        {200, R"({"assignments":[{"room":"2171","janus":"gxy/1","region":"","users":12,)"
                              R"("assigned_at":"2026-11-23T03:27:00.123Z","last_used_at":null}],"next":null})"}}});
  const Scratch scratch;
  auto outcome = scratch.run({"assignments", "--gateway", "gxy/1", "--server", "http://" + server.address()});
  CHECK(outcome.err.empty());
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out ==
        "ROOM   GATEWAY  REGION  USERS  ASSIGNED                  LAST USED\n"
        "1\\x1b  gxy/1    IL          3  2026-11-23T03:27:00.123Z  -\n"
        "2171   gxy/1    -          12  2026-11-23T03:27:00.123Z  -\n");
  outcome = scratch.run({"assignments", "--json", "--gateway", "gxy/1", "--server", server.address()});
  CHECK(contains(outcome.out, R"("room":"2171")"));
  CHECK(contains(outcome.out, R"(],"next":null})"));
}

TEST_CASE("an empty list is a sentence") {
  CannedServer server({{"GET /v2/assignments?limit=1000", {200, R"({"assignments":[],"next":null})"}}});
  const Scratch scratch;
  CHECK(scratch.run({"assignments", "--server", server.address()}).out == "No room is assigned.\n");
}

TEST_CASE("an endless list is given up") {
  CannedServer server({{"GET /v2/assignments?limit=1000", {200, R"({"assignments":[],"next":"b"})"}},
                       {"GET /v2/assignments?limit=1000&after=b", {200, R"({"assignments":[],"next":"a"})"}}});
  const Scratch scratch;
  CHECK(scratch.run({"assignments", "--server", server.address()}).exit_code == 1);
}

TEST_CASE("explain says in words where a room would go, and what each gateway's verdict means") {
  CannedServer server({{"GET /v2/rooms/a%2Fb/explain?country_code=IL",
                        {200, R"({"janus":"gxy1","reason":"assigned","regional_match":true,"error":null,)"
                              R"("candidates":[{"name":"gxy1","load":120,"capacity":400,"verdict":"chosen"},)"
                              R"({"name":"gxy2","load":400,"capacity":400,"verdict":"full"},)"
                              R"({"name":"gxy3","load":0,"capacity":400,"verdict":"new_word"}]})"}},
                       {"GET /v2/rooms/5/explain",
                        {200, R"({"janus":"gxy1","reason":"assigned","regional_match":false,"error":null,)"
                              R"("candidates":[{"name":"gxy1","load":0,"capacity":400,"verdict":"chosen"},)"
                              R"({"name":"gxy2","load":0,"capacity":400,"verdict":"other_region"}]})"}},
                       {"GET /v2/rooms/5/explain?country_code=FR",
                        {200, R"({"janus":"gxy1","reason":"assigned","regional_match":false,"error":null,)"
                              R"("candidates":[{"name":"gxy1","load":0,"capacity":400,"verdict":"chosen"},)"
                              R"({"name":"gxy2","load":0,"capacity":400,"verdict":"other_region"}]})"}},
                       {"GET /v2/rooms/6/explain",
                        {200, R"({"janus":"gxy1","reason":"assigned","regional_match":false,"error":null,)"
                              R"("candidates":[{"name":"gxy1","load":0,"capacity":400,"verdict":"chosen"}]})"}},
                       {"GET /v2/rooms/7/explain",
                        {200, R"({"janus":null,"reason":null,"regional_match":false,"error":"no_gateway_available",)"
                              R"("candidates":[{"name":"gxy1","load":0,"capacity":400,"verdict":"down"},)"
                              R"({"name":"gxy2","load":0,"capacity":400,"verdict":"down"},)"
                              R"({"name":"gxy3","load":0,"capacity":400,"verdict":"standby"}]})"}},
                       {"GET /v2/rooms/8/explain",
                        {200, R"({"janus":null,"reason":null,"regional_match":false,"error":"gateway_not_found",)"
                              R"("candidates":[{"name":"gxy2","load":0,"capacity":400,"verdict":"disabled"}]})"}},
                       {"GET /v2/rooms/x/explain",
                        {200, R"({"janus":null,"reason":null,"regional_match":false,"error":"room_not_found",)"
                              R"("candidates":[]})"}}});
  const Scratch scratch;
  auto outcome = scratch.run({"explain", "a/b", "--country", "IL", "--server", server.address()});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out ==
        "A new user of room a/b is sent to gxy1 (assigned): chosen by load, among the first that can take it.\n"
        "gxy1 serves callers from IL first.\n"
        "\n"
        "GATEWAY  LOAD  CAPACITY  USED  VERDICT   WHICH MEANS\n"
        "gxy1      120       400   30%  chosen    this one\n"
        "gxy2      400       400  100%  full      one more room is above its capacity\n"
        "gxy3        0       400    0%  new_word\n");
  const auto country = GENERATE(std::string(), std::string(" "));
  outcome = scratch.run({"explain", "5", "--country", country, "--server", server.address()});
  CHECK(outcome.exit_code == 0);
  CHECK_FALSE(contains(outcome.out, "serves callers"));
  CHECK(contains(outcome.out, "other_region  serves another region first\n"));
  outcome = scratch.run({"explain", "5", "--country", "FR", "--server", server.address()});
  CHECK_FALSE(contains(outcome.out, "FR"));  // there is no such region, as far as the answer says
  outcome = scratch.run({"explain", "6", "--server", server.address()});
  CHECK(contains(outcome.out, "A new user of room 6 is sent to gxy1 (assigned): no other gateway was considered.\n"));
  outcome = scratch.run({"explain", "7", "--server", server.address()});
  CHECK(contains(outcome.out,
                 "(no_gateway_available): no gateway may take a new room; 2 of them down by their health.\n"));
  CHECK(contains(outcome.out, "standby  is a standby server, used while no other gateway is up\n"));
  outcome = scratch.run({"explain", "8", "--server", server.address()});
  CHECK(contains(outcome.out,
                 "(gateway_not_found): it may go to gxy2 only, which is disabled, removed or of another type.\n"));
  outcome = scratch.run({"explain", "x", "--server", server.address()});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out == "A new user of room x is refused (room_not_found): the room is unknown, disabled or removed.\n");
  outcome = scratch.run({"explain", "x", "--json", "--server", server.address()});
  CHECK(contains(outcome.out, R"({"janus":null)"));
}

TEST_CASE("why says in words how a room was decided") {
  CannedServer server(
      {{"GET /v2/decisions?room=a%2Fb&limit=3",
        {200, R"({"decisions":[{"id":9,"time":"T2","room":"a/b","country_code":"IL","janus":"gxy2","left":null,)"
              R"("reason":"assigned","error":null,"regional_match":true,"asked_by":"user","request_id":"r1",)"
              R"("times":1,"since":"T2","candidates":[{"name":"gxy2","load":0,"capacity":400,"verdict":"chosen"}],)"
              R"("candidates_left_out":7},{"id":8,"time":"T1","room":"a/b","country_code":null,"janus":null,)"
              R"("left":null,"reason":null,"error":"capacity_exhausted","regional_match":false,)"
              R"("asked_by":"session","request_id":null,"times":5,"since":"T0","candidates":[],)"
              R"("candidates_left_out":0}],"next":"8"})"}},
       {"GET /v2/decisions?room=5&limit=1", {200, R"({"decisions":[],"next":null})"}}});
  const Scratch scratch;
  auto outcome = scratch.run({"why", "a/b", "--server", server.address()});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out ==
        "T2  Room a/b was placed on gxy2 (assigned): no other gateway was considered.\n"
        "  Because a user asked, from IL, which it serves first (request r1).\n"
        "  GATEWAY  LOAD  CAPACITY  USED  VERDICT  WHICH MEANS\n"
        "  gxy2        0       400    0%  chosen   this one\n"
        "  and 7 more gateways\n"
        "\n"
        "T1  Room a/b was refused (capacity_exhausted): the gateways that could take it are full, and when_full is "
        "\"reject\"; 5 times since T0.\n"
        "  Because a session was reported.\n"
        "\nShow older ones with --limit.\n");
  outcome = scratch.run({"why", "5", "--limit", "1", "--server", server.address()});
  CHECK(outcome.exit_code == 0);
  CHECK(contains(outcome.out, "No decision about room 5 is remembered"));
}

TEST_CASE("drain, undrain and release send what the interface asks for") {
  CannedServer server({{"PUT /v2/gateways/gxy%201/drain", {200, R"({"name":"gxy 1"})"}},
                       {"DELETE /v2/gateways/gxy%201/drain", {200, "{}"}},
                       {"DELETE /v2/assignments/2171",
                        {409, R"({"error":"room_occupied",)"
                              R"("message":"3 users are in it."})"}},
                       {"DELETE /v2/assignments/2171?force=true", {200, R"({"released":true})"}}});
  const Scratch scratch;
  const auto to = std::vector<std::string>{"--server", server.address()};
  auto outcome = scratch.run({"drain", "gxy 1", to[0], to[1]});
  CHECK(outcome.exit_code == 0);
  CHECK(contains(outcome.out, "gxy 1 gets no new rooms from now on; the rooms there stay."));
  CHECK(contains(server.asked().back(), "Content-Length: 0\r\n"));
  outcome = scratch.run({"drain", "gxy 1", "--move", to[0], to[1]});
  CHECK(contains(outcome.out, "the rooms there move to others"));
  CHECK(contains(server.asked().back(), "Content-Length: 13\r\n"));
  CHECK(contains(outcome.out, "\nSidecar: " + server.address() + "\n"));
  CHECK(scratch.run({"drain", "gxy 1", "--json", to[0], to[1]}).out ==
        R"({"name":"gxy 1","address":")" + server.address() + "\"}\n");
  CHECK(scratch.run({"undrain", "gxy 1", to[0], to[1]}).exit_code == 0);
  outcome = scratch.run({"release", "2171", to[0], to[1]});
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.err == "error: the sidecar at " + server.address() + ": 3 users are in it. (room_occupied)\n");
  CHECK(outcome.out.empty());
  CHECK(scratch.run({"release", "2171", "--force", to[0], to[1]}).exit_code == 0);
  outcome = scratch.run({"drain", "other", to[0], to[1]});
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.err, "Nothing here. (not_found)"));
}

TEST_CASE("reload is 0 applied, 2 refused with each problem, 1 not reachable") {
  const Scratch scratch;
  {
    CannedServer server({{"POST /v2/reload", {200, R"({"applied":true,"warnings":["w1","w2"]})"}}});
    const auto outcome = scratch.run({"reload", "--server", server.address()});
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.err == "warning: w1\nwarning: w2\n");
  }
  {
    CannedServer server({{"POST /v2/reload",
                          {409, R"({"error":"configuration_refused","message":"m",)"
                                R"("problems":["config.toml:3: p1","p2"]})"}}});
    const auto outcome = scratch.run({"reload", "--server", server.address()});
    CHECK(outcome.exit_code == 2);
    CHECK(contains(outcome.err, "error: config.toml:3: p1\nerror: p2\n"));
  }
  {
    CannedServer server({{"POST /v2/reload", {503, R"({"error":"x","message":"m"})"}}});
    CHECK(scratch.run({"reload", "--server", server.address()}).exit_code == 1);
  }
  const auto outcome = scratch.run({"reload"});
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.err, "no sidecar can be reached at 127.0.0.1:1"));
}

TEST_CASE("the sidecar is found by the note beside its database, else by http.listen") {
  CannedServer noted(status_answers());
  CannedServer configured(status_answers());
  const Scratch scratch;
  scratch.make_database();
  scratch.configure("", configured.address());
  CHECK(contains(scratch.run({"status"}).out, configured.address()));
  {
    store::Owner owner(scratch.database());
    REQUIRE(owner.note({::getpid(), noted.address(), 1}));
    CHECK(contains(scratch.run({"status"}).out, noted.address()));
    // Its writer is not trusted with where the token goes.
    for (const char* elsewhere : {"192.0.2.1:8082", "example.org:80", "http://127.0.0.1:1@192.0.2.1:80"}) {
      REQUIRE(owner.note({::getpid(), elsewhere, 1}));
      CHECK(contains(scratch.run({"status"}).out, configured.address()));
    }
  }
  CHECK(contains(scratch.run({"status"}).out, configured.address()));
}

TEST_CASE("commands have no address to try if port 0 is configured and no sidecar runs") {
  const Scratch scratch;
  scratch.configure("", "127.0.0.1:0");
  const auto outcome = scratch.run({"status"});
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.err, "no sidecar runs on " + scratch.database()));
}

TEST_CASE("errors in the configuration do not keep an operator from the sidecar") {
  CannedServer server(status_answers());
  const Scratch scratch;
  scratch.configure("unknwon = 1\n", server.address());
  CHECK(scratch.run({"status"}).exit_code == 0);
  scratch.configure("unknwon = 1\n");
  const auto outcome = scratch.run({"status"});
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.err, "the configuration has errors"));
}

TEST_CASE("the token comes from --token-file, else from the configuration") {
  CannedServer server(status_answers());
  const Scratch scratch;
  scratch.write("one", "token-one\n");
  scratch.write("two", "token-two\n");
  scratch.write("bad", "no token\n");
  scratch.configure("http.token_file = \"" + scratch.file("one") + "\"\n", server.address());
  CHECK(scratch.run({"status"}).exit_code == 0);
  CHECK(contains(server.asked().back(), "Authorization: Bearer token-one\r\n"));
  CHECK(scratch.run({"status", "--token-file", scratch.file("two")}).exit_code == 0);
  CHECK(contains(server.asked().back(), "Authorization: Bearer token-two\r\n"));
  const auto outcome = scratch.run({"status", "--token-file", scratch.file("bad")});
  CHECK(outcome.exit_code == 2);
  CHECK(contains(outcome.err, scratch.file("bad")));
}

TEST_CASE("another program at the address is not taken for a sidecar") {
  CannedServer server({{"GET /readyz", {200, "<html>"}}});
  const Scratch scratch;
  const auto outcome = scratch.run({"status", "--server", server.address()});
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.err, "is no room-sidecar"));
  CHECK(scratch.run({"status", "--server", "no address"}).exit_code == 1);
}
