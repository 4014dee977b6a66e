// SPDX-License-Identifier: Apache-2.0
//
// See ancestor_template.hpp.
#include "probe/ancestor_template.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace latmon {
namespace {

constexpr std::array<std::byte, limits::probe_bytes_max> padding = [] {
    std::array<std::byte, limits::probe_bytes_max> zeros{};
    zeros.fill(std::byte{'0'});
    return zeros;
}();

// The longest head: three digits of number, and a time of nineteen.
constexpr std::uint8_t longest_number = ancestor_sequences - 1;
constexpr std::int64_t longest_time = std::numeric_limits<std::int64_t>::max();

// As many of the tags as have room, in their order, the rest into `left_out`.
std::string tags_text(const ProbePlan& plan, std::vector<std::string>& left_out) {
    std::vector<std::string_view> tags;
    // Four octets for each is what escapes take at most; quotes, commas and brackets.
    std::array<char, 4 * ancestor_tags_bytes_max + 4 * ancestor_tags_max + 2> text{};
    std::size_t text_bytes = encode_ancestor_tags(tags, text);
    std::size_t tags_bytes = 0;
    for (const std::string& tag : plan.tags) {
        tags.emplace_back(tag);
        const bool has_room =
            tags.size() <= ancestor_tags_max && tags_bytes + tag.size() <= ancestor_tags_bytes_max;
        if (has_room) {
            text_bytes = encode_ancestor_tags(tags, text);
            LATMON_ASSERT(text_bytes > 0);
            tags_bytes += tag.size();
        } else {
            left_out.push_back(tag);
            tags.pop_back();
        }
    }
    return {text.data(), text_bytes};
}

std::string_view text_of(std::span<const std::byte> octets) noexcept {
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

}  // namespace

std::unique_ptr<AncestorTemplate> AncestorTemplate::make(const ProbePlan& plan) {
    const bool is_spoken =
        plan.protocol == ProbeProtocol::ancestor || plan.protocol == ProbeProtocol::automatic;
    return is_spoken ? std::make_unique<AncestorTemplate>(plan) : nullptr;
}

AncestorTemplate::AncestorTemplate(const ProbePlan& plan) {
    std::vector<std::string> left_out;
    source_ = ancestor_source(plan.node_name);
    tags_ = tags_text(plan, left_out);
    std::vector<std::byte> longest(limits::probe_bytes_max);
    longest.resize(encode_ancestor_head({.sequence = longest_number,
                                         .source = source_,
                                         .time_ns = longest_time,
                                         .tags = tags_,
                                         .hello = ancestor_hello_asked},
                                        longest));
    head_.assign(longest.begin(), longest.end());
    packet_bytes_ = std::max(plan.size_bytes, static_cast<std::uint32_t>(head_.size()));
}

void AncestorTemplate::write(const AncestorRequest& request) noexcept {
    LATMON_ASSERT(request.t1_ns >= 0);
    const std::size_t head_bytes = encode_ancestor_head({.sequence = request.number,
                                                         .source = source_,
                                                         .time_ns = request.t1_ns,
                                                         .tags = tags_,
                                                         .hello = request.hello},
                                                        head_);
    message_.set_payload(std::span(head_).first(head_bytes),
                         std::span(padding).first(packet_bytes_ - head_bytes));
}

std::uint32_t AncestorTemplate::reply_bytes_max() const noexcept {
    return packet_bytes_ + static_cast<std::uint32_t>(ancestor_source_bytes_max);
}

std::optional<std::uint8_t> AncestorTemplate::number_of(
    std::span<const std::byte> start) const noexcept {
    const std::string_view text = text_of(start);
    std::uint8_t number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number >= ancestor_sequences) return std::nullopt;
    const auto digits = static_cast<std::size_t>(rest - text.data());
    const std::string_view behind = text.substr(digits);
    if (behind.size() < 2 || behind.front() != '|') return std::nullopt;
    const std::string_view source = behind.substr(1, source_.size());
    return std::string_view(source_).starts_with(source) ? std::optional(number) : std::nullopt;
}

std::vector<std::string> ancestor_warnings(const Plan& plan) {
    std::vector<std::string> warnings;
    std::optional<std::uint32_t> warned;  // Of one target both probes would say the same.
    for (const CorePlan& core : plan.cores) {
        for (const ProbePlan& probe : core.probes) {
            if (probe.protocol != ProbeProtocol::ancestor || warned == probe.target_index) continue;
            std::vector<std::string> left_out;
            static_cast<void>(tags_text(probe, left_out));
            if (left_out.empty()) continue;
            warned = probe.target_index;
            std::string list;
            for (const std::string& tag : left_out)
                list += (list.empty() ? "\"" : ", \"") + tag + "\"";
            warnings.push_back("target \"" + probe.host + "\": tags " + list +
                               " are not sent: a packet of \"latency-monitor\" has room for 32 "
                               "tags of 1024 octets in all");
        }
    }
    return warnings;
}

}  // namespace latmon
