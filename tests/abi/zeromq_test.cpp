// SPDX-License-Identifier: Apache-2.0
//
// The plugin zeromq, without a subscriber: whom a message would go to, and what its options may be.
// With subscribers: tests/system/zeromq.py.
#include "abi/samples.hpp"
#include "zeromq/subscriptions.hpp"

#include <doctest/doctest.h>
#include <string>
#include <string_view>

namespace latmon::test {
namespace {

using plugins::Subscriptions;
using namespace std::string_literals;

ExporterConfig zeromq() {
    return exporter_config("zeromq");
}

template <typename Value>
ExporterConfig zeromq_with(const char* key, const Value& value) {
    ExporterConfig config = zeromq();
    set(config, key, value);
    return config;
}

const std::string some_key(40, 'k');
const OptionValue::List any_port{"tcp://127.0.0.1:*"};

TEST_CASE(
    "zeromq subscriptions: nobody wants anything at first, all want what the empty prefix is") {
    Subscriptions subscriptions;
    CHECK_FALSE(subscriptions.wants("exchange|a|b|"));
    subscriptions.take("\1"s);
    CHECK(subscriptions.wants("exchange|a|b|"));
    CHECK(subscriptions.wants(""));
    subscriptions.take("\0"s);
    CHECK_FALSE(subscriptions.wants("exchange|a|b|"));
}

TEST_CASE("zeromq subscriptions: a prefix wants what begins with it and nothing else") {
    Subscriptions subscriptions;
    subscriptions.take("\1exchange|a|b|"s);
    subscriptions.take("\1node"s);
    CHECK(subscriptions.size() == 2);
    CHECK(subscriptions.wants("exchange|a|b|"));
    CHECK(subscriptions.wants("node|a||"));
    CHECK_FALSE(subscriptions.wants("exchange|a|bc|"));
    CHECK_FALSE(subscriptions.wants("nod"));
    subscriptions.take("\0node"s);
    CHECK_FALSE(subscriptions.wants("node|a||"));
    CHECK(subscriptions.wants("exchange|a|b|"));
}

TEST_CASE("zeromq subscriptions: what a subscriber makes up changes nothing") {
    Subscriptions subscriptions;
    subscriptions.take("");
    subscriptions.take("\0never"s);
    subscriptions.take("\2all"s);
    CHECK(subscriptions.size() == 0);
    subscriptions.take("\1once"s);
    subscriptions.take("\1once"s);
    subscriptions.take("\0once"s);
    CHECK(subscriptions.size() == 0);
    CHECK_FALSE(subscriptions.wants("once"));
}

TEST_CASE("zeromq: with no subscriber samples are taken, in both encodings") {
    ExporterConfig config = zeromq_with("bind", any_port);
    CHECK(export_all(config, {exchange(udp_id), node(7)}).exported == 2);
    set(config, "encoding", std::string("legacy"));
    set(config, "topic", true);
    CHECK(export_all(config, {exchange(udp_id), node(7)}).exported == 2);
}

TEST_CASE("zeromq: options that cannot be honoured are refused, with the cure") {
    CHECK(refusal(zeromq_with("bind", OptionValue::List{"inproc://x"})).find("is no endpoint") !=
          std::string::npos);
    CHECK(refusal(zeromq_with("bind", OptionValue::List{"tcp://127.0.0.1"}))
              .find("cannot bind tcp://127.0.0.1") != std::string::npos);
    CHECK(refusal(zeromq_with("bind", OptionValue::List{"tcp://192.0.2.77:8002"}))
              .find("this host has no such address") != std::string::npos);
    ExporterConfig encoding = zeromq_with("bind", any_port);
    set(encoding, "encoding", std::string("xml"));
    CHECK(refusal(encoding).find("write json or legacy") != std::string::npos);
    CHECK(refusal(zeromq_with("address", std::string("::1"))).find("address") !=
          std::string::npos);  // The ancestor's, under [metrics] alone.
}

TEST_CASE("zeromq: keys that are none or do not go together are refused, and never shown") {
    const std::string secret = refusal(zeromq_with("curve_secret_key", std::string("s3cret")));
    CHECK(secret.find("curve_secret_key is no CURVE key") != std::string::npos);
    CHECK(secret.find("s3cret") == std::string::npos);
    CHECK(refusal(zeromq_with("curve_server_key", some_key)).find("makes us a client") !=
          std::string::npos);
    CHECK(refusal(zeromq_with("curve_client_keys", OptionValue::List{some_key}))
              .find("need the server's curve_secret_key") != std::string::npos);
    CHECK(refusal(zeromq_with("curve_public_key", some_key)).find("encrypts nothing") !=
          std::string::npos);
    ExporterConfig both = zeromq_with("curve_secret_key", some_key);
    set(both, "curve_public_key", some_key);
    set(both, "curve_server_key", some_key);
    set(both, "curve_client_keys", OptionValue::List{some_key});
    CHECK(refusal(both).find("keep one") != std::string::npos);
}

}  // namespace
}  // namespace latmon::test
