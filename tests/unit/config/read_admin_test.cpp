// SPDX-License-Identifier: Apache-2.0
//
// Claims about [admin].
#include "config/read_admin.hpp"

#include "unit/config/config_text.hpp"

namespace latmon {
namespace {

AdminConfig admin_of(const std::string& keys) {
    return config_of("[admin]\n" + keys).admin;
}

std::string listen_of(const std::string& value) {
    std::string text;
    for (const AdminAddress& address : admin_of("listen = " + value).listen)
        text += (text.empty() ? "" : " ") + to_string(address);
    return text;
}

TEST_CASE("read_admin: without a word it listens on loopback, and probes for nobody") {
    const AdminConfig admin = config_of("").admin;
    REQUIRE(admin.listen.size() == 1);
    CHECK(to_string(admin.listen[0]) == "127.0.0.1:9464");
    CHECK(is_local(admin.listen[0]));
    CHECK_FALSE(admin.is_listen_explicit);
    CHECK_FALSE(admin.can_probe);
}

TEST_CASE("read_admin: addresses, unix sockets, a list of both, or nowhere") {
    CHECK(listen_of("\"0.0.0.0:80\"") == "0.0.0.0:80");
    CHECK(listen_of("[\"[::1]:0\", \"unix:/run/a.sock\"]") == "[::1]:0 unix:/run/a.sock");
    CHECK(listen_of("\"\"") == "");
    CHECK(listen_of("[]") == "");
    CHECK(admin_of("listen = \"\"").is_listen_explicit);
    for (const char* value :
         {"9464", ":9464", "localhost:9464", "127.0.0.1", "::1:9464", "[127.0.0.1]:1",
          "127.0.0.1:65536", "127.0.0.1:", "unix:", "unix:a", "224.0.0.1:1", "127.0.0.1:+1"}) {
        CAPTURE(value);
        const std::string text = errors_of("[admin]\nlisten = \"" + std::string(value) + "\"");
        CHECK(contains(text, "t.toml:2:10: \"listen\" "));
        CHECK(contains(text, "127.0.0.1:9464"));
    }
    CHECK(contains(errors_of("[admin]\nlisten = [\"[::1]:1\", \"[::1]:1\"]"), "twice"));
}

TEST_CASE("read_admin: local is loopback and a unix socket") {
    const auto is_local_at = [](const std::string& text) {
        return is_local(admin_of("listen = \"" + text + "\"").listen.at(0));
    };
    CHECK(is_local_at("127.1.2.3:1"));
    CHECK(is_local_at("[::1]:1"));
    CHECK(is_local_at("unix:/a"));
    CHECK_FALSE(is_local_at("0.0.0.0:1"));
    CHECK_FALSE(is_local_at("[::]:1"));
    CHECK_FALSE(is_local_at("192.0.2.1:1"));
}

TEST_CASE("read_admin: half of a pair is an error") {
    for (const char* key :
         {"tls_cert", "tls_key", "tls_client_ca", "basic_user", "basic_password_file"}) {
        CAPTURE(key);
        CHECK(
            contains(errors_of("[admin]\n" + std::string(key) + " = \"x\""), "set both, or none"));
    }
    CHECK(contains(errors_of("[admin]\nbasic_user = \"a:b\"\nbasic_password_file = \"f\""), "':'"));
}

TEST_CASE("read_admin: what is open to others is a warning that says what") {
    const auto warning = [](const std::string& keys) {
        const std::vector<std::string> all =
            warnings_of("[admin]\nlisten = \"0.0.0.0:1\"\n" + keys);
        return all.empty() ? std::string() : all.at(0);
    };
    CHECK(contains(warning(""), "without credentials"));
    CHECK(contains(warning("bearer_token_file = \"t\""), "plain text"));
    CHECK(warning("bearer_token_file = \"t\"\ntls_cert = \"c\"\ntls_key = \"k\"") == "");
    CHECK(warning("tls_client_ca = \"a\"\ntls_cert = \"c\"\ntls_key = \"k\"") == "");
    CHECK(contains(warning("tls_cert = \"c\"\ntls_key = \"k\""), "without credentials"));
    CHECK(warnings_of("[admin]\nlisten = \"127.0.0.1:1\"").empty());
}

TEST_CASE("read_admin: who lets others in and probes for them must say whom") {
    CHECK(admin_of("probe = true").probe_allow_any);
    const std::string open = "[admin]\nlisten = \"0.0.0.0:1\"\nprobe = true\n";
    CHECK(contains(errors_of(open), "t.toml:3:9: \"probe\" is on"));
    CHECK(contains(errors_of(open + "probe_allow = []"), "\"probe\" is on"));
    CHECK(errors_of(open + "probe_allow = [\"10.0.0.0/8\"]") == "");
    CHECK(errors_of(open + "probe_allow = [\"any\"]") == "");
    const AdminConfig some = admin_of("probe = true\nprobe_allow = [\"10.0.0.0/8\"]");
    CHECK_FALSE(some.probe_allow_any);
    CHECK(some.probe_allow.size() == 1);
    CHECK(errors_of("[admin]\nlisten = \"0.0.0.0:1\"") == "");
}

TEST_CASE("read_admin: a module has a name of its own and every key of a probe") {
    const AdminConfig admin = admin_of(R"(
[[admin.modules]]
name = "voice"
method = "tcp_connect"
port = 5060
count = 7
interval = 20
timeout = 0.5
size = 172
dscp = 46
)");
    REQUIRE(admin.modules.size() == 1);
    const ProbeModuleConfig& module = admin.modules[0];
    CHECK(module.name == "voice");
    CHECK(module.method == ProbeModuleConfig::Method::tcp_connect);
    CHECK(module.port == 5'060);
    CHECK(module.count == 7);
    CHECK(module.interval == Duration::from_ms(20));
    CHECK(module.timeout == Duration::from_ms(500));
    CHECK(module.size_bytes == 172);
    CHECK(module.dscp == 46);
    CHECK(contains(errors_of("[[admin.modules]]\nport = 1"), "has no \"name\""));
    CHECK(contains(errors_of("[[admin.modules]]\nname = \"a\"\n[[admin.modules]]\nname = \"a\""),
                   "t.toml:4:8: the module \"a\" stands there twice"));
    CHECK(contains(errors_of("[admin]\nmodules = 1"), "[[admin.modules]]"));
    CHECK(errors_of("[[admin.modules]]\nname = \"a\"\ncount = 1001") != "");
}

TEST_CASE("read_admin: a key that is unknown, or elsewhere, is told") {
    CHECK(contains(errors_of("[admin]\nlistn = \"\""), "did you mean \"listen\"?"));
    CHECK(contains(errors_of("tls_cert = \"\""), "it belongs into the [admin] table"));
    CHECK(contains(errors_of("admin = 1"), "[admin], with one bracket"));
}

}  // namespace
}  // namespace latmon
