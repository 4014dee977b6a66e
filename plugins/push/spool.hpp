// SPDX-License-Identifier: Apache-2.0
//
// A backlog on disk, which outlives the process: a directory with segments (segment.hpp), named
// 00000001.seg and on, and the file `position` (position.hpp). What push() has taken is with the
// kernel: it survives our crash and kill -9, though not a power cut, because nothing waits for the
// disk. After a crash the block that was under way comes again, with the same records and the same
// id.
//
// The directory is this process's alone: it is locked while it is open. A block lies within one
// segment. Overflow::drop_oldest drops whole segments, the oldest first, but never the one of the
// block under way.
#pragma once

#include "push/backlog.hpp"
#include "push/position.hpp"
#include "support/descriptor.hpp"

#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace latmon::plugins::push {

struct SpoolOptions {
    std::string directory;    // Made, with mode 0700, if it is not there; its parent must be.
    std::uint64_t bytes = 0;  // Of all segments.
    Overflow overflow = Overflow::drop_oldest;
};

class Spool final : public Backlog {
public:
    // Locks the directory and counts what is in it as recovered. The error is one line that names
    // the directory and the cure; what cannot be read is never forgotten. Reads all that
    // is there: about a second per GiB. [main-thread]
    [[nodiscard]] static std::expected<std::unique_ptr<Spool>, std::string> open(
        SpoolOptions options);

    // Removes segments if nothing waits in them. [main-thread]
    ~Spool() override;
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;

    [[nodiscard]] bool push(Record record) override;
    // No records although rows wait: the front segment cannot be opened or read just now, for want
    // of descriptors or memory, or of a sound disk. fault() says so; nothing is lost.
    [[nodiscard]] Block take(const BlockLimits& limits) override;
    void shorten(std::size_t records) override;
    void finish() override;
    [[nodiscard]] std::string fault() const override;
    [[nodiscard]] bool is_lasting() const noexcept override { return true; }

    // What was found at the start that an operator should know, as lines for the log.
    [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return notes_; }

private:
    struct Segment {
        std::uint64_t number = 0;
        std::uint64_t octets = 0;  // Up to the end of its last sound record.
        std::uint64_t rows = 0;    // Not done yet.
    };

    explicit Spool(SpoolOptions options);

    std::string lock_directory();
    [[nodiscard]] std::string recover();
    [[nodiscard]] std::string recover_segment(std::uint64_t number);
    [[nodiscard]] std::string resume_block();
    [[nodiscard]] std::string unreadable(std::string_view name) const;

    [[nodiscard]] bool has_room(std::uint64_t octets);
    [[nodiscard]] bool open_segment();
    [[nodiscard]] bool write_record(const std::string& octets);
    void drop_segment(std::size_t index);
    void remove_front();
    void lose_rest_of_front(std::string_view reason);

    // Fill under_way_ from the front segment, or leave it empty if nothing more there is sound.
    // False, and stall_fault_, if it cannot be read now.
    [[nodiscard]] bool read_front(const BlockLimits& limits);
    [[nodiscard]] bool read_window(std::uint64_t octets, const BlockLimits& limits);
    // As much of window_ as the file has; false and errno if it cannot be read now.
    [[nodiscard]] bool fill_window(const char* name);
    [[nodiscard]] Block block_under_way() const;
    void begin_block(std::string id);
    void start_front();
    void raise_doubt(std::uint64_t segment, std::uint64_t octets) noexcept;
    void write_position();
    void update_bytes() noexcept;

    SpoolOptions options_;
    std::uint64_t segment_octets_max_;
    Descriptor directory_;
    Descriptor active_;  // Of segments_.back(), if it is open.
    std::uint64_t next_number_ = 1;
    std::deque<Segment> segments_;
    // Of segments_.front(). As in the file, but for a doubt that the rest of it tells already.
    SpoolPosition position_;
    std::uint64_t segments_octets_ = 0;
    // What the process before us may have sent ends there.
    std::uint64_t doubt_segment_ = 0;
    std::uint64_t doubt_octets_ = 0;

    std::vector<Record> under_way_;
    std::vector<std::uint64_t> ends_;  // Where each of them ends in the front segment.
    std::string window_;               // What was read last; kept for its memory.

    std::string write_fault_;
    std::string position_fault_;
    std::string stall_fault_;  // Nothing is lost, but nothing is read either.
    std::string read_fault_;
    std::vector<std::string> notes_;
};

}  // namespace latmon::plugins::push
