// SPDX-License-Identifier: Apache-2.0
//
// See settings.hpp. Every key is asked for, whatever the first mistake is, so that latmon knows
// them all.
#include "zeromq/settings.hpp"

#include "support/secret.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace latmon::plugins {
namespace {

// The ancestor listened on all interfaces; what nobody asked for stays on this host.
constexpr const char* default_bind = "tcp://127.0.0.1:8002";
constexpr const char* compatible_address = "0.0.0.0";
constexpr std::int64_t compatible_port = 8002;

// Some 60 MB of JSON for a subscriber that has stopped reading: six seconds at 10,000 a second.
constexpr std::int64_t high_water_mark_default = 65'536;
constexpr std::int64_t high_water_mark_max = 100'000'000;

constexpr std::int64_t stuck_timeout_ms_default = 10'000;
constexpr std::int64_t stuck_timeout_ms_max = 3'600'000;

// destroy() has five seconds.
constexpr std::int64_t linger_ms_default = 1'000;
constexpr std::int64_t linger_ms_max = 4'000;

constexpr std::size_t key_characters = 40;

class Reader {
public:
    Reader(const latmon_host_t* host, const latmon_options_t* options)
        : host_(host), options_(options) {}

    std::optional<ZeromqSettings> read() {
        ZeromqSettings settings;
        if (flag("compatible", false)) {
            read_compatible(settings);
        } else {
            read_endpoints(settings);
        }
        settings.has_topic = flag("topic", false);
        settings.has_exact_drops = flag("exact_drops", true);
        settings.send_high_water_mark =
            number("send_high_water_mark", high_water_mark_default, 1, high_water_mark_max);
        settings.stuck_timeout_ms =
            number("stuck_timeout_ms", stuck_timeout_ms_default, 0, stuck_timeout_ms_max);
        settings.linger_ms = number("linger_ms", linger_ms_default, 0, linger_ms_max);
        read_curve(settings.curve);
        if (is_sound_) return settings;
        return std::nullopt;
    }

private:
    bool flag(const char* key, bool fallback) {
        return host_->option_bool(options_, key, fallback);
    }
    int number(const char* key, std::int64_t fallback, std::int64_t min, std::int64_t max) {
        return static_cast<int>(host_->option_int(options_, key, fallback, min, max));
    }
    std::vector<std::string> list(const char* key) {
        std::vector<std::string> items;
        for (std::uint32_t index = 0;; ++index) {
            const char* const item = host_->option_list_item(options_, key, index);
            if (item == nullptr) return items;
            items.emplace_back(item);
        }
    }

    void complain(const std::string& text) {
        is_sound_ = false;
        host_->log(host_, LATMON_LOG_ERROR, text.c_str());
    }

    // One address and one port, and the ancestor's lines.
    void read_compatible(ZeromqSettings& settings) {
        const std::string address = host_->option_string(options_, "address", compatible_address);
        const int port = number("port", compatible_port, 1, 65'535);
        settings.is_legacy = true;
        settings.has_ipv6 = address.find(':') != std::string::npos;
        const bool is_bare_ipv6 = settings.has_ipv6 && address.front() != '[';
        settings.bind = {"tcp://" + (is_bare_ipv6 ? "[" + address + "]" : address) + ":" +
                         std::to_string(port)};
    }

    void read_endpoints(ZeromqSettings& settings) {
        settings.bind = list("bind");
        settings.connect = list("connect");
        if (settings.bind.empty() && settings.connect.empty()) settings.bind = {default_bind};
        for (const std::vector<std::string>* const endpoints : {&settings.bind, &settings.connect})
            std::ranges::for_each(*endpoints, [this](const std::string& each) { check(each); });
        const std::string encoding = host_->option_string(options_, "encoding", "json");
        settings.is_legacy = encoding == "legacy";
        if (encoding != "json" && encoding != "legacy") {
            complain("encoding = \"" + encoding + "\" is not known: write json or legacy");
        }
    }

    void check(const std::string& endpoint) {
        if (endpoint.starts_with("tcp://") || endpoint.starts_with("ipc://")) return;
        complain("\"" + endpoint +
                 "\" is no endpoint: write one such as \"tcp://*:8002\", \"tcp://[::1]:8002\" or "
                 "\"ipc:///run/latmon/samples\"");
    }

    void read_curve(CurveKeys& curve) {
        std::optional<std::string> secret = read_secret(host_, options_, "curve_secret_key");
        if (!secret) is_sound_ = false;
        curve.secret_key = std::move(secret).value_or("");
        curve.public_key = host_->option_string(options_, "curve_public_key", "");
        curve.server_key = host_->option_string(options_, "curve_server_key", "");
        curve.client_keys = list("curve_client_keys");
        check_key("curve_secret_key", curve.secret_key);
        check_key("curve_public_key", curve.public_key);
        check_key("curve_server_key", curve.server_key);
        for (const std::string& key : curve.client_keys)
            check_key("curve_client_keys", key.empty() ? "-" : key);
        check_roles(curve);
    }

    // Never shows the key: it may be the secret one.
    void check_key(const std::string& name, std::string_view key) {
        static constexpr std::string_view others = ".-:+=^!/*?&<>()[]{}@%$#";
        const bool is_z85 = std::ranges::all_of(key, [](char letter) {
            return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
                   (letter >= 'A' && letter <= 'Z') || others.contains(letter);
        });
        if (key.empty() || (key.size() == key_characters && is_z85)) return;
        complain(name + " is no CURVE key: write the 40 characters of Z85 that a key has");
    }

    void check_roles(const CurveKeys& curve) {
        const bool is_client = !curve.server_key.empty();
        if (is_client && (curve.secret_key.empty() || curve.public_key.empty())) {
            complain(
                "curve_server_key makes us a client, which needs curve_secret_key and "
                "curve_public_key of its own: add them");
        }
        if (is_client && !curve.client_keys.empty()) {
            complain("curve_client_keys are a server's, and curve_server_key a client's: keep one");
        }
        if (!curve.client_keys.empty() && curve.secret_key.empty()) {
            complain("curve_client_keys need the server's curve_secret_key: add it");
        }
        if (!curve.public_key.empty() && curve.secret_key.empty()) {
            complain("curve_public_key without curve_secret_key encrypts nothing: add the latter");
        }
    }

    const latmon_host_t* host_;
    const latmon_options_t* options_;
    bool is_sound_ = true;
};

}  // namespace

std::optional<ZeromqSettings> read_zeromq_settings(const latmon_host_t* host,
                                                   const latmon_options_t* options) {
    return Reader(host, options).read();
}

}  // namespace latmon::plugins
