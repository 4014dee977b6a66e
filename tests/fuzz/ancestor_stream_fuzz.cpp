// SPDX-License-Identifier: Apache-2.0
//
// The cutter of the ancestor's streams: whatever the octets and wherever they are cut, the same
// messages come out as from the whole at once, no octet counts twice, and nothing is left that
// could grow without end. The first octets of an input say where it is cut. A libFuzzer target.
#include "base/assert.hpp"
#include "wire/ancestor_stream.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace {

using latmon::AncestorStream;
using Outcome = AncestorStream::Outcome;

class Receiver {
public:
    // False if the stream is broken.
    bool take(std::span<const std::uint8_t> piece) {
        const std::span<const std::byte> octets = std::as_bytes(piece);
        buffer_.insert(buffer_.end(), octets.begin(), octets.end());
        stream_.look(buffer_);
        Outcome outcome = stream_.next();
        for (; outcome == Outcome::message; outcome = stream_.next())
            note_message();
        if (outcome == Outcome::broken) return false;
        const std::span<const std::byte> rest = stream_.remainder();
        LATMON_ASSERT(rest.size() < latmon::ancestor_head_bytes_max);
        buffer_ = std::vector(rest.begin(), rest.end());
        return true;
    }

    std::vector<std::string> heads;
    std::size_t messages_bytes = 0;

private:
    void note_message() {
        const latmon::AncestorPacket& packet = stream_.packet();
        LATMON_ASSERT(stream_.message_bytes() + 1 >= packet.head_bytes);
        LATMON_ASSERT(stream_.message_at() + stream_.message_bytes() <= buffer_.size());
        heads.push_back(std::to_string(packet.sequence) + "|" + std::string(packet.source) + "|" +
                        std::to_string(packet.time_ns) + "|" + std::string(packet.tags));
        messages_bytes += stream_.message_bytes();
        // As a reply would.
        std::fill_n(buffer_.begin() + static_cast<std::ptrdiff_t>(stream_.message_at()),
                    stream_.message_bytes(), std::byte{'x'});
    }

    AncestorStream stream_;
    std::vector<std::byte> buffer_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t cuts = 4;
    if (size < cuts) return 0;
    const std::span<const std::uint8_t> text(data + cuts, size - cuts);
    Receiver whole;
    const bool is_good = whole.take(text);
    LATMON_ASSERT(whole.messages_bytes <= text.size());

    Receiver cut;
    bool is_cut_good = true;
    std::size_t at = 0;
    for (std::size_t piece = 0; is_cut_good && at < text.size(); ++piece) {
        const std::size_t bytes =
            std::min<std::size_t>(text.size() - at, data[piece % cuts] % 64U + 1);
        is_cut_good = cut.take(text.subspan(at, bytes));
        at += bytes;
    }
    LATMON_ASSERT(is_cut_good == is_good);
    LATMON_ASSERT(cut.heads == whole.heads);
    LATMON_ASSERT(cut.messages_bytes <= text.size());
    return 0;
}
