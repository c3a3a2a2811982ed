#include "config/etcd_member.h"

#include <string>

#include "catch.h"

using config::member_from;

TEST_CASE("a member is http:// or https:// with a host, and 2379 if it has no port") {
  const std::pair<const char*, const char*> members[] = {
      {"http://127.0.0.1:2379", "http://127.0.0.1:2379"},
      {"http://127.0.0.1", "http://127.0.0.1:2379"},
      {"https://etcd1.example.org", "https://etcd1.example.org:2379"},
      {"https://etcd_1:65535", "https://etcd_1:65535"},
      {"http://[::1]", "http://[::1]:2379"},
      {"http://[2001:db8::1]:1", "http://[2001:db8::1]:1"},
      {"HTTP://Etcd1.Example.ORG:02379", "http://etcd1.example.org:2379"},
      {" http://3com.example ", "http://3com.example:2379"},
  };
  for (const auto& item : members) {
    CAPTURE(item.first);
    CHECK(member_from(item.first) == item.second);
  }
  const std::string label(63, 'a');
  CHECK(member_from("http://" + label));
  CHECK(member_from("http://" + label + '.' + label + '.' + label + '.' + label.substr(2)));
}

TEST_CASE("any other text is no member") {
  for (const char* text : {"",
                           "http",
                           "http:",
                           "http:/a",
                           "http://",
                           "https://",
                           "http://:2379",
                           "127.0.0.1:2379",
                           "etcd1",
                           "ftp://etcd1",
                           "httpss://etcd1",
                           "unix:///run/etcd",
                           "http://etcd1/",
                           "http://etcd1:2379/v3",
                           "http://etcd1?a",
                           "http://etcd1#a",
                           "http://me@etcd1",
                           "http://me:secret@etcd1:2379",
                           "http://etcd1:",
                           "http://etcd1:0",
                           "http://etcd1:65536",
                           "http://etcd1:-1",
                           "http://etcd1:+1",
                           "http://etcd1:1x",
                           "http://etcd1:1:2",
                           "http://etcd1: 1",
                           "http://etcd 1",
                           "http://et\ncd1",
                           "http://.etcd1",
                           "http://etcd1.",
                           "http://a..b",
                           "http://\xc3\xa4.example",
                           "http://10.0.0",
                           "http://10.0.0.256",
                           "http://2379",
                           "http://::1",
                           "http://[::1",
                           "http://[]",
                           "http://[::1]2379",
                           "http://[127.0.0.1]",
                           "http://[fe80::1%eth0]"}) {
    CAPTURE(text);
    CHECK_FALSE(member_from(text));
  }
  const std::string label(63, 'a');
  CHECK_FALSE(member_from("http://a" + label));
  CHECK_FALSE(member_from("http://" + label + '.' + label + '.' + label + '.' + label));
  CHECK_FALSE(member_from(std::string("http://127.0.0.1\0:1", 19)));
  CHECK_FALSE(member_from(std::string("http://[::1\0]:1", 15)));
}
