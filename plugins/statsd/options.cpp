// SPDX-License-Identifier: Apache-2.0
//
// See options.hpp. Everything is read before anything is complained of, so that an operator sees
// all mistakes at once. Variables: Datadog's manual, "DogStatsD" and "Unified Service Tagging".
#include "statsd/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace latmon::plugins::statsd {
namespace {

// What an Ethernet packet carries, less what tunnels may add; and the least that is always carried.
constexpr std::int64_t udp_packet_bytes = 1'432;
// Datadog's Agent reads no more at once, unless told to.
constexpr std::int64_t unix_packet_bytes = 8'192;
constexpr std::int64_t packet_bytes_min = 256;
constexpr std::int64_t packet_bytes_max = 65'507;
constexpr std::int64_t rate_min = 10'000;
constexpr std::int64_t rate_max = 1'000'000'000;
constexpr std::int64_t usual_rate = 2'000'000;

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

template <typename Value>
struct Word {
    std::string_view text;
    Value value;
};

class Reader {
public:
    Reader(const latmon_host_t* host, const latmon_options_t* options)
        : host_(host), options_(options) {}

    std::optional<Options> read(Mode usual);

private:
    [[nodiscard]] bool is_dog() const noexcept { return read_.naming.mode == Mode::dogstatsd; }
    [[nodiscard]] std::string text(const char* key, const std::string& fallback) const {
        return host_->option_string(options_, key, fallback.c_str());
    }
    void complain(const std::string& what) {
        is_sound_ = false;
        host_->log(host_, LATMON_LOG_ERROR, what.c_str());
    }
    template <typename Value, std::size_t Count>
    Value choose(const char* key, const char* usual, const Word<Value> (&words)[Count]);
    void read_mode(Mode usual);
    void read_destination();
    void read_host(const std::string& host, std::int64_t port);
    void check_destination();
    void read_url(const char* name, std::string_view url);
    void read_naming();
    void read_environment_tags();
    void read_lines();

    const latmon_host_t* host_;
    const latmon_options_t* options_;
    Options read_;
    bool is_sound_ = true;
};

// The value of one of some words; the first one, after a complaint, for any other.
template <typename Value, std::size_t Count>
Value Reader::choose(const char* key, const char* usual, const Word<Value> (&words)[Count]) {
    const std::string given = text(key, usual);
    std::string known;
    for (const Word<Value>& word : words) {
        if (word.text == given) return word.value;
        if (!known.empty()) known += " or ";
        known.append("\"").append(word.text).append("\"");
    }
    complain(std::string(key) + " = \"" + given + "\" is not known: write " + known);
    return words[0].value;
}

void Reader::read_mode(Mode usual) {
    static constexpr Word<Mode> modes[] = {{"statsd", Mode::statsd},
                                           {"dogstatsd", Mode::dogstatsd}};
    read_.naming.mode = choose("mode", usual == Mode::statsd ? "statsd" : "dogstatsd", modes);
    read_.lines.mode = read_.naming.mode;
    read_.takes_windows = host_->option_list_item(options_, "windows", 0) != nullptr;
    if (host_->option_list_item(options_, "windows", 1) != nullptr) {
        complain("windows has two lengths, whose counts a server would add up: keep one");
    }
}

// -- Where to -------------------------------------------------------------------------------------

// udp://host:port, unix:///path, unixgram:///path or unixstream:///path.
void Reader::read_url(const char* name, std::string_view url) {
    static constexpr Word<Transport> schemes[] = {{"unix://", Transport::unix_datagram},
                                                  {"unixgram://", Transport::unix_datagram},
                                                  {"unixstream://", Transport::unix_stream}};
    for (const auto& [scheme, transport] : schemes) {
        if (!url.starts_with(scheme)) continue;
        read_.outlet.unix_path = url.substr(scheme.size());
        read_.outlet.transport = transport;
        return;
    }
    constexpr std::string_view udp = "udp://";
    std::string_view rest = url.starts_with(udp) ? url.substr(udp.size()) : "";
    const std::size_t colon = rest.rfind(':');
    const bool has_port = colon != std::string_view::npos && !rest.ends_with(']');
    if (has_port) {
        const std::string_view port = rest.substr(colon + 1);
        const char* const end = port.data() + port.size();
        const std::from_chars_result read = std::from_chars(port.data(), end, read_.outlet.port);
        if (read.ec != std::errc() || read.ptr != end || read_.outlet.port == 0) rest = "";
        rest = rest.substr(0, std::min(colon, rest.size()));
    }
    if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
    if (rest.empty()) {
        complain(std::string("the environment variable ") + name +
                 " names no address: correct it (DD_DOGSTATSD_URL is udp://host:port, unix:///path "
                 "or unixstream:///path), or write host and port, or unix, here");
        return;
    }
    read_.outlet.host = rest;
}

void Reader::read_host(const std::string& host, std::int64_t port) {
    OutletOptions& outlet = read_.outlet;
    const std::string agent = is_dog() ? variable("DD_AGENT_HOST") : "";
    if (!agent.empty()) outlet.host = agent;
    if (!host.empty()) outlet.host = host;
    const std::string agent_port = is_dog() ? variable("DD_DOGSTATSD_PORT") : "";
    if (port != 0) {
        outlet.port = static_cast<std::uint16_t>(port);
    } else if (!agent_port.empty()) {
        read_url("DD_DOGSTATSD_PORT", "udp://[" + outlet.host + "]:" + agent_port);
    }
}

void Reader::read_destination() {
    static constexpr Word<Transport> types[] = {{"datagram", Transport::unix_datagram},
                                                {"stream", Transport::unix_stream}};
    static constexpr Word<Transport> protocols[] = {{"udp", Transport::udp},
                                                    {"tcp", Transport::tcp}};
    OutletOptions& outlet = read_.outlet;
    const std::string host = text("host", "");
    const std::int64_t port = host_->option_int(options_, "port", 0, 1, 65'535);
    outlet.transport = choose("protocol", "udp", protocols);
    outlet.unix_path = text("unix", "");
    const Transport unix_type = choose("unix_type", "datagram", types);
    const bool is_unix = !outlet.unix_path.empty();
    const bool is_tcp = outlet.transport == Transport::tcp;
    if (is_unix && (!host.empty() || port != 0 || is_tcp)) {
        complain("unix is set, and host, port or protocol too: keep one of them");
    }
    const std::string url = is_dog() ? variable("DD_DOGSTATSD_URL") : "";
    if (is_unix) {
        outlet.transport = unix_type;
    } else if (host.empty() && port == 0 && !is_tcp && !url.empty()) {
        read_url("DD_DOGSTATSD_URL", url);
    } else {
        read_host(host, port);
    }
    check_destination();
}

void Reader::check_destination() {
    OutletOptions& outlet = read_.outlet;
    if (!outlet.unix_path.empty() && !unix_address(outlet.unix_path)) {
        complain("unix is too long: a socket's path has " + std::to_string(unix_path_octets_max) +
                 " octets at most");
    }
    if (outlet.transport == Transport::unix_stream && !is_dog()) {
        complain(
            "unix_type = \"stream\" is how Datadog's Agent reads packets: write \"datagram\", or "
            "mode = \"dogstatsd\"");
    }
    if (outlet.transport == Transport::tcp && is_dog()) {
        complain("Datadog's Agent takes no TCP: remove protocol, or write mode = \"statsd\"");
    }
    outlet.bytes_per_second =
        host_->option_int(options_, "bytes_per_second", usual_rate, 0, rate_max);
    if (outlet.bytes_per_second != 0 && outlet.bytes_per_second < rate_min) {
        complain("bytes_per_second is too small: write 0 (no limit) or at least " +
                 std::to_string(rate_min));
    }
}

// -- What it is called ----------------------------------------------------------------------------

void Reader::read_environment_tags() {
    static constexpr std::pair<const char*, const char*> variables[] = {
        {"DD_ENTITY_ID", "dd.internal.entity_id:"},
        {"DD_ENV", "env:"},
        {"DD_SERVICE", "service:"},
        {"DD_VERSION", "version:"}};
    for (const auto& each : variables) {
        const std::string_view key = each.second;
        const bool is_written = std::ranges::any_of(
            read_.naming.tags, [&](const std::string& tag) { return tag.starts_with(key); });
        const std::string value = variable(each.first);
        if (!value.empty() && !is_written) read_.naming.tags.push_back(std::string(key) + value);
    }
}

void Reader::read_naming() {
    static constexpr Word<TagFormat> formats[] = {{"none", TagFormat::none},
                                                  {"datadog", TagFormat::datadog},
                                                  {"graphite", TagFormat::graphite}};
    NamingOptions& naming = read_.naming;
    naming.tag_format = choose("tag_format", is_dog() ? "datadog" : "none", formats);
    if (is_dog() && naming.tag_format != TagFormat::datadog) {
        complain(
            "tag_format is Datadog's in the mode \"dogstatsd\": remove it, or write mode = "
            "\"statsd\"");
    }
    const bool has_tags = naming.tag_format != TagFormat::none;
    naming.prefix = text("prefix", naming.prefix);
    naming.name_template =
        text("template", has_tags ? "{metric}" : "{proto}.{metric}.{source}.{target}");
    for (std::uint32_t index = 0;; ++index) {
        const char* const tag = host_->option_list_item(options_, "tags", index);
        if (tag == nullptr) break;
        naming.tags.emplace_back(tag);
    }
    if (is_dog()) read_environment_tags();
    naming.container_id = text("container_id", "");
    if (!naming.container_id.empty() && !is_dog()) {
        complain("container_id is Datadog's: remove it, or write mode = \"dogstatsd\"");
    }
    const std::expected<Naming, std::string> made = Naming::make(naming);
    if (!made) complain(made.error());
}

// -- Lines ----------------------------------------------------------------------------------------

void Reader::read_lines() {
    static constexpr Word<const char*> types[] = {{"ms", "ms"}, {"d", "d"}, {"h", "h"}};
    LineOptions& lines = read_.lines;
    lines.timer = choose("timer", is_dog() ? "d" : "ms", types);
    if (lines.timer != "ms" && !is_dog()) {
        complain("timer = \"" + lines.timer +
                 "\" is Datadog's; statsd takes it for a counter: write \"ms\", or mode = "
                 "\"dogstatsd\"");
    }
    lines.sample_rate = host_->option_float(options_, "sample_rate", 1.0, 1e-6, 1.0);
    const bool is_unix = !read_.outlet.unix_path.empty();
    lines.packet_bytes = static_cast<std::size_t>(
        host_->option_int(options_, "packet_bytes", is_unix ? unix_packet_bytes : udp_packet_bytes,
                          packet_bytes_min, packet_bytes_max));
    lines.packs_values = host_->option_bool(options_, "pack_values", is_dog());
    lines.has_timestamps = host_->option_bool(options_, "timestamps", false);
    if ((lines.packs_values || lines.has_timestamps) && !is_dog()) {
        complain(
            "pack_values and timestamps are Datadog's; statsd refuses such lines: remove "
            "them, or write mode = \"dogstatsd\"");
    }
    const double interval_s = host_->option_float(options_, "interval", 2.0, 1.0, 3'600.0);
    read_.interval_ns = static_cast<std::int64_t>(interval_s * 1e9);
    read_.has_nodes = host_->option_bool(options_, "node_counters", false);
}

std::optional<Options> Reader::read(Mode usual) {
    read_mode(usual);
    read_destination();
    read_naming();
    read_lines();
    return is_sound_ ? std::optional(read_) : std::nullopt;
}

}  // namespace

std::optional<Options> read_options(const latmon_host_t* host, const latmon_options_t* options,
                                    Mode usual) {
    return Reader(host, options).read(usual);
}

}  // namespace latmon::plugins::statsd
