// SPDX-License-Identifier: Apache-2.0
//
// The life of records in a spool. Nothing here is synchronised with the disk: a power cut may cost
// what the kernel has not written yet, and what it left is then read as torn or corrupt.
#include "push/spool.hpp"

#include "push/segment.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace latmon::plugins::push {
namespace {

constexpr const char* position_file = "position";
constexpr const char* position_draft = "position.new";

// Beyond what a block may hold, for the record that does not fit any more.
constexpr std::uint64_t window_slack_octets = 64ULL * 1024;

std::string reason_of(int error) {
    return std::strerror(error);
}

}  // namespace

// -- Taking in -----------------------------------------------------------------------------------

bool Spool::push(Record record) {
    std::string octets;
    octets.reserve(record_head_octets + record.payload.size());
    append_segment_record(octets, record);
    const bool is_written = has_room(octets.size()) && open_segment() && write_record(octets);
    if (!is_written) {
        counts_.dropped += record.rows;
        return false;
    }
    segments_.back().octets += octets.size();
    segments_.back().rows += record.rows;
    segments_octets_ += octets.size();
    counts_.waiting += record.rows;
    update_bytes();
    write_fault_.clear();
    return true;
}

// Makes room if it may.
bool Spool::has_room(std::uint64_t octets) {
    if (octets > options_.bytes) return false;
    const std::size_t first = under_way_.empty() ? 0 : 1;
    while (segments_octets_ + octets > options_.bytes &&
           options_.overflow == Overflow::drop_oldest && segments_.size() > first) {
        drop_segment(first);
    }
    return segments_octets_ + octets <= options_.bytes;
}

// Lets active_ be a segment that has room. A single record may be larger than a segment should be.
bool Spool::open_segment() {
    if (active_.is_open() && segments_.back().octets < segment_octets_max_) return true;
    const std::string name = segment_name(next_number_);
    active_.reset(::openat(directory_.get(), name.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
    if (!active_.is_open()) {
        write_fault_ = reason_of(errno);
        return false;
    }
    segments_.push_back({.number = next_number_, .octets = 0, .rows = 0});
    ++next_number_;
    if (segments_.size() == 1) {
        start_front();
        write_position();
    }
    return true;
}

bool Spool::write_record(const std::string& octets) {
    ssize_t written = -1;
    do {
        written = ::write(active_.get(), octets.data(), octets.size());
    } while (written < 0 && errno == EINTR);
    if (written == static_cast<ssize_t>(octets.size())) return true;
    // A file system that is full takes what still fits.
    write_fault_ = reason_of(written < 0 ? errno : ENOSPC);
    const std::uint64_t sound = segments_.back().octets;
    const bool is_cut = ::ftruncate(active_.get(), static_cast<off_t>(sound)) == 0;
    // What could not be cut is never read. And a segment that is closed can go once it is done,
    // which is what makes room on a disk that is full.
    if (!is_cut || sound > 0) active_.reset();
    return false;
}

void Spool::drop_segment(std::size_t index) {
    const Segment segment = segments_[index];
    counts_.dropped += segment.rows;
    counts_.waiting -= segment.rows;
    segments_octets_ -= segment.octets;
    if (index + 1 == segments_.size()) active_.reset();
    ::unlinkat(directory_.get(), segment_name(segment.number).c_str(), 0);
    segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(index));
    if (index == 0) {
        stall_fault_.clear();
        start_front();
        write_position();
    }
    update_bytes();
}

// -- Giving out ----------------------------------------------------------------------------------

Block Spool::take(const BlockLimits& limits) {
    while (under_way_.empty() && !segments_.empty()) {
        if (!read_front(limits)) break;  // Perhaps the next time.
        if (!under_way_.empty()) {
            begin_block(make_block_id());
            break;
        }
        const bool is_active = segments_.size() == 1 && active_.is_open();
        if (segments_.front().rows > 0) lose_rest_of_front("does not read any more");
        if (is_active) break;
        remove_front();
    }
    return block_under_way();
}

bool Spool::read_front(const BlockLimits& limits) {
    const std::uint64_t left = segments_.front().octets - position_.done_octets;
    std::uint64_t octets = left;
    if (limits.bytes < left) octets = std::min(left, limits.bytes + window_slack_octets);
    while (octets > 0) {
        if (!read_window(octets, limits)) return false;
        if (!under_way_.empty() || octets == left) break;
        octets = std::min(left, 2 * octets);  // One record that is larger than all of it.
    }
    return true;
}

bool Spool::fill_window(const char* name) {
    const Descriptor file(::openat(directory_.get(), name, O_RDONLY | O_CLOEXEC));
    std::size_t size = 0;
    // Somebody may have removed the file or made it shorter: what it had is lost, not late.
    const bool is_gone = !file.is_open() && errno == ENOENT;
    if (!file.is_open() && !is_gone) return false;
    while (!is_gone && size < window_.size()) {
        const ssize_t count = ::pread(file.get(), window_.data() + size, window_.size() - size,
                                      static_cast<off_t>(position_.done_octets + size));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    window_.resize(size);
    return true;
}

bool Spool::read_window(std::uint64_t octets, const BlockLimits& limits) {
    const std::string name = segment_name(segments_.front().number);
    window_.resize(octets);
    if (!fill_window(name.c_str())) {
        stall_fault_ =
            "cannot read " + name + " now, and sends nothing until it can: " + reason_of(errno);
        return false;
    }
    stall_fault_.clear();
    SegmentReader reader(window_);
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    while (const std::optional<SegmentRecord> read = reader.next()) {
        Record record{.rows = read->rows, .payload = std::string(read->payload)};
        if (limits.exclude(under_way_.size(), rows, bytes, record)) break;
        rows += record.rows;
        bytes += record.payload.size();
        under_way_.push_back(std::move(record));
        ends_.push_back(position_.done_octets + reader.offset());
    }
    return true;
}

Block Spool::block_under_way() const {
    const bool is_doubtful =
        position_.segment < doubt_segment_ ||
        (position_.segment == doubt_segment_ && position_.done_octets < doubt_octets_);
    Block block{
        .records = under_way_, .rows = 0, .id = position_.block_id, .is_doubtful = is_doubtful};
    for (const Record& record : under_way_) {
        block.rows += record.rows;
    }
    return block;
}

void Spool::begin_block(std::string id) {
    position_.block_end_octets = ends_.back();
    position_.block_id = std::move(id);
    raise_doubt(position_.segment, position_.block_end_octets);
    write_position();
}

// No block is under way, and nothing of the front segment is done.
void Spool::start_front() {
    position_.segment = segments_.empty() ? next_number_ : segments_.front().number;
    position_.done_octets = 0;
    position_.block_end_octets = 0;
    position_.block_id.clear();
}

// It never sinks: what was sent in one block may come again in several, of which only the first is
// under way when we are killed.
void Spool::raise_doubt(std::uint64_t segment, std::uint64_t octets) noexcept {
    if (std::pair(segment, octets) <= std::pair(position_.doubt_segment, position_.doubt_octets)) {
        return;
    }
    position_.doubt_segment = segment;
    position_.doubt_octets = octets;
}

void Spool::shorten(std::size_t records) {
    under_way_.resize(records);
    ends_.resize(records);
    begin_block(make_block_id());
}

void Spool::finish() {
    if (under_way_.empty()) return;
    const std::uint64_t rows = block_under_way().rows;
    // A record whose rows were spoiled between two looks must not make the sum wrong.
    const std::uint64_t known = std::min(rows, segments_.front().rows);
    segments_.front().rows -= known;
    counts_.waiting -= known;
    position_.done_octets = ends_.back();
    position_.block_end_octets = 0;
    under_way_.clear();
    ends_.clear();
    read_fault_.clear();
    write_position();
    update_bytes();
    const Segment& front = segments_.front();
    const bool is_active = segments_.size() == 1 && active_.is_open();
    if (front.rows == 0 && position_.done_octets == front.octets && !is_active) remove_front();
}

// The rest of the front segment, which the records of no block are.
void Spool::lose_rest_of_front(std::string_view reason) {
    Segment& front = segments_.front();
    if (read_fault_.empty()) {
        read_fault_ = segment_name(front.number) + " " + std::string(reason);
    }
    counts_.dropped += front.rows;
    counts_.waiting -= front.rows;
    ++counts_.corrupt;
    front.rows = 0;
    position_.done_octets = front.octets;
    update_bytes();
}

void Spool::remove_front() {
    segments_octets_ -= segments_.front().octets;
    ::unlinkat(directory_.get(), segment_name(segments_.front().number).c_str(), 0);
    if (segments_.size() == 1) active_.reset();
    segments_.pop_front();
    start_front();
    update_bytes();
}

// The old file or the new one, never half of one.
void Spool::write_position() {
    SpoolPosition position = position_;
    const std::uint64_t told = std::max(position.done_octets, position.block_end_octets);
    if (std::pair(position.doubt_segment, position.doubt_octets) <=
        std::pair(position.segment, told)) {
        position.doubt_segment = position.doubt_octets = 0;
    }
    const std::string text = format_position(position);
    const Descriptor file(
        ::openat(directory_.get(), position_draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    const bool is_written =
        file.is_open() &&
        ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::renameat(directory_.get(), position_draft, directory_.get(), position_file) == 0;
    position_fault_ = is_written ? "" : reason_of(errno);
}

void Spool::update_bytes() noexcept {
    counts_.waiting_bytes = segments_octets_ - position_.done_octets;
}

std::string Spool::fault() const {
    const std::string name = "spool " + options_.directory + " ";
    if (!write_fault_.empty()) return name + "cannot be written: " + write_fault_;
    if (!stall_fault_.empty()) return name + stall_fault_;
    if (!position_fault_.empty()) {
        return name + "cannot keep its position, so that rows may come twice after a crash: " +
               position_fault_;
    }
    return read_fault_.empty() ? "" : name + "has lost rows: " + read_fault_;
}

}  // namespace latmon::plugins::push
