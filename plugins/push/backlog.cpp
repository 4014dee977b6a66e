// SPDX-License-Identifier: Apache-2.0
//
// The backlogs that live in memory.
#include "push/backlog.hpp"

#include <sys/random.h>
#include <array>
#include <utility>

namespace latmon::plugins::push {
namespace {

std::uint64_t cost_of(const Record& record) noexcept {
    return sizeof(Record) + record.payload.size();
}

Block block_of(const std::vector<Record>& records, const std::string& id) {
    Block block{.records = records, .rows = 0, .id = id};
    for (const Record& record : records) {
        block.rows += record.rows;
    }
    return block;
}

}  // namespace

std::string make_block_id() {
    std::array<unsigned char, 16> octets{};
    // Up to 256 octets come whole; the kernel's generator was seeded long before we started.
    static_cast<void>(::getrandom(octets.data(), octets.size(), 0));
    constexpr std::string_view digits = "0123456789abcdef";
    std::string id;
    for (const unsigned char octet : octets) {
        id += digits[octet >> 4U];
        id += digits[octet & 15U];
    }
    return id;
}

bool MemoryBacklog::push(Record record) {
    const std::uint64_t cost = cost_of(record);
    if (overflow_ == Overflow::drop_oldest && cost <= room_) {
        while (counts_.waiting_bytes + cost > room_ && !waiting_.empty()) {
            drop_oldest();
        }
    }
    if (counts_.waiting_bytes + cost > room_) {  // Perhaps of the block under way.
        counts_.dropped += record.rows;
        return false;
    }
    counts_.waiting += record.rows;
    counts_.waiting_bytes += cost;
    waiting_.push_back(std::move(record));
    return true;
}

void MemoryBacklog::drop_oldest() {
    counts_.dropped += waiting_.front().rows;
    counts_.waiting -= waiting_.front().rows;
    counts_.waiting_bytes -= cost_of(waiting_.front());
    waiting_.pop_front();
}

Block MemoryBacklog::take(const BlockLimits& limits) {
    if (!under_way_.empty()) return block_of(under_way_, id_);
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    while (!waiting_.empty() && !limits.exclude(under_way_.size(), rows, bytes, waiting_.front())) {
        rows += waiting_.front().rows;
        bytes += waiting_.front().payload.size();
        under_way_.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    id_ = make_block_id();
    return block_of(under_way_, id_);
}

void MemoryBacklog::shorten(std::size_t records) {
    while (under_way_.size() > records) {
        waiting_.push_front(std::move(under_way_.back()));
        under_way_.pop_back();
    }
    id_ = make_block_id();
}

void MemoryBacklog::finish() {
    for (const Record& record : under_way_) {
        counts_.waiting -= record.rows;
        counts_.waiting_bytes -= cost_of(record);
    }
    under_way_.clear();
}

bool SnapshotBacklog::push(Record record) {
    if (!next_.empty()) {
        counts_.superseded += next_.front().rows;
        forget(next_);
    }
    counts_.waiting += record.rows;
    counts_.waiting_bytes += cost_of(record);
    next_.push_back(std::move(record));
    return true;
}

Block SnapshotBacklog::take(const BlockLimits&) {
    if (next_.empty()) return block_of(under_way_, id_);
    if (!under_way_.empty()) {
        counts_.superseded += under_way_.front().rows;
        forget(under_way_);
    }
    std::swap(next_, under_way_);
    id_ = make_block_id();
    return block_of(under_way_, id_);
}

void SnapshotBacklog::shorten(std::size_t) {
    id_ = make_block_id();
}

void SnapshotBacklog::finish() {
    forget(under_way_);
}

void SnapshotBacklog::forget(std::vector<Record>& slot) {
    for (const Record& record : slot) {
        counts_.waiting -= record.rows;
        counts_.waiting_bytes -= cost_of(record);
    }
    slot.clear();
}

}  // namespace latmon::plugins::push
