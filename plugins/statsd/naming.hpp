// SPDX-License-Identifier: Apache-2.0
//
// What a line of statsd is called, before and behind its value. Plain statsd knows names alone, so
// that source, target and the rest are parts of a name; with tags a name says what is measured, and
// tags say of what. Pure; any thread.
//
//   latmon.udp.rtt.berlin.madrid:0.25|ms                                     TagFormat::none
//   latmon.rtt;proto=udp;source=berlin;target=madrid:0.25|ms                 TagFormat::graphite
//   latmon.rtt:0.00025|d|#proto:udp,source:berlin,target:madrid              TagFormat::datadog
//   head ^^^^^                 tail ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#pragma once

#include <latmon/host.h>

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latmon::plugins::statsd {

enum class Mode : std::uint8_t { statsd, dogstatsd };
enum class TagFormat : std::uint8_t { none, datadog, graphite };

struct NamingOptions {
    Mode mode = Mode::statsd;
    TagFormat tag_format = TagFormat::none;
    std::string prefix = "latmon.";
    std::string name_template{};      // "{proto}.{metric}.{source}.{target}"
    std::vector<std::string> tags{};  // Of every line; needs a TagFormat.
    std::string container_id{};       // "": none is said.
};

// What sets apart lines of the same metric and the same series: a tag, or part of the name.
struct Dimension {
    std::string_view key;
    std::string_view value;
};

struct Metric {
    std::string_view name;                    // "rtt", "probes.sent"
    std::span<const Dimension> dimensions{};  // {"direction", "fwd"}
    std::string_view statistic{};             // "p99"; "": none.
};

struct Identity {
    std::string head;  // Up to the colon in front of the value, and with it.
    std::string tail;  // Behind the type and the sample rate; "": nothing.
};

class Naming {
public:
    // An error says what is wrong with an option, and what to write instead.
    [[nodiscard]] static std::expected<Naming, std::string> make(const NamingOptions& options);

    [[nodiscard]] Identity identity(const latmon_series_t& series, const Metric& metric) const;

private:
    struct Piece {
        enum class Kind : std::uint8_t { text, metric, proto, source, target, host, port, tag };
        Kind kind = Kind::text;
        std::string text{};  // Of text; of a tag its key.
    };
    using Tags = std::vector<std::pair<std::string, std::string>>;

    explicit Naming(const NamingOptions& options) : options_(options) {}
    [[nodiscard]] std::string parse_template();
    [[nodiscard]] std::string parse_piece(std::string_view word);
    [[nodiscard]] std::string name_of(const latmon_series_t& series, const Metric& metric) const;
    [[nodiscard]] std::string metric_text(const Metric& metric) const;
    [[nodiscard]] std::string piece_text(const Piece& piece, const latmon_series_t& series,
                                         const Metric& metric) const;
    [[nodiscard]] std::string part(std::string_view text, bool may_have_dots) const;
    [[nodiscard]] Tags tags_of(const latmon_series_t& series, const Metric& metric) const;
    [[nodiscard]] std::string datadog_tail(const Tags& tags) const;
    [[nodiscard]] std::string graphite_tags(const Tags& tags) const;

    NamingOptions options_;
    std::vector<Piece> pieces_;
};

// "udp", "tcp", or "tcp_connect" of handshakes; "" for what has no protocol.
[[nodiscard]] std::string_view proto_of(const latmon_series_t& series) noexcept;

}  // namespace latmon::plugins::statsd
