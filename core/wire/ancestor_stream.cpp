// SPDX-License-Identifier: Apache-2.0
//
// See ancestor_stream.hpp.
#include "wire/ancestor_stream.hpp"

namespace latmon {

std::size_t AncestorStream::after_padding(std::size_t at) const noexcept {
    std::size_t end = at;
    while (end < data_.size() && data_[end] == std::byte{'0'})
        ++end;
    const bool may_go_on = end == data_.size() || data_[end] == std::byte{'|'};
    return may_go_on && end > at ? end - 1 : end;
}

AncestorStream::Outcome AncestorStream::next() noexcept {
    if (is_open_) return Outcome::needs_more;
    const std::size_t begin = after_padding(at_);
    if (begin != at_) is_used_ = false;
    at_ = begin;
    const std::span<const std::byte> rest = data_.subspan(begin);
    if (rest.empty()) return Outcome::needs_more;
    const AncestorHead head = read_ancestor_head(rest, packet_);
    if (head == AncestorHead::broken) return Outcome::broken;
    const bool is_complete = head == AncestorHead::complete;
    const std::size_t head_bytes = is_complete ? packet_.head_bytes : rest.size() + 1;
    if (head_bytes > ancestor_head_bytes_max) return Outcome::broken;
    if (!is_complete) return Outcome::needs_more;

    // All padding that is there is this message's, but who knows what its last '0' is.
    const std::size_t next_at = after_padding(begin + head_bytes);
    is_open_ = next_at + 1 == data_.size() && data_[next_at] == std::byte{'0'};
    const std::size_t end = is_open_ ? data_.size() : next_at;
    message_at_ = begin;
    message_bytes_ = end - begin - (is_used_ ? 1 : 0);
    at_ = next_at;
    is_used_ = is_open_;
    return Outcome::message;
}

}  // namespace latmon
