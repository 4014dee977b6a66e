// SPDX-License-Identifier: Apache-2.0
//
// A spool's first and last moments: what a process before us has left there, and what we leave.
// Everything is read once and checked, so that what is recovered is known to the row. [main-thread]
#include "push/segment.hpp"
#include "push/spool.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace latmon::plugins::push {
namespace {

constexpr std::uint64_t segment_octets_usual = 16ULL * 1024 * 1024;
// Segments at the bound, so that dropping one never costs more than this part of all.
constexpr std::uint64_t segments_at_bound = 8;
constexpr std::string_view suffix = ".seg";

std::optional<std::uint64_t> segment_number(std::string_view name) noexcept {
    if (!name.ends_with(suffix)) return std::nullopt;
    name.remove_suffix(suffix.size());
    std::uint64_t number = 0;
    const std::from_chars_result read =
        std::from_chars(name.data(), name.data() + name.size(), number);
    const bool is_whole = read.ec == std::errc() && read.ptr == name.data() + name.size();
    if (!is_whole || name.size() < 8 || number == 0) return std::nullopt;
    return number;
}

// nullopt, and errno, if they cannot be listed.
std::optional<std::vector<std::uint64_t>> segments_in(int directory) {
    std::vector<std::uint64_t> numbers;
    const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* const stream = copy < 0 ? nullptr : ::fdopendir(copy);  // Which closes the copy.
    if (stream == nullptr) return std::nullopt;
    errno = 0;  // readdir() sets it, or leaves it at the end.
    while (const dirent* const entry = ::readdir(stream)) {
        const std::optional<std::uint64_t> number = segment_number(entry->d_name);
        if (number) numbers.push_back(*number);
        errno = 0;
    }
    const int error = errno;
    ::closedir(stream);
    errno = error;
    if (error != 0) return std::nullopt;
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

// nullopt, and errno, if it cannot be read.
std::optional<std::string> read_file(int directory, const char* name) {
    const Descriptor file(::openat(directory, name, O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!file.is_open() || ::fstat(file.get(), &status) != 0) return std::nullopt;
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return std::nullopt;
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    text.resize(size);
    return text;
}

}  // namespace

Spool::Spool(SpoolOptions options)
    : options_(std::move(options)),
      segment_octets_max_(std::min(segment_octets_usual, options_.bytes / segments_at_bound)) {}

std::expected<std::unique_ptr<Spool>, std::string> Spool::open(SpoolOptions options) {
    std::unique_ptr<Spool> spool(new Spool(std::move(options)));
    std::string error = spool->lock_directory();
    if (error.empty()) error = spool->recover();
    if (error.empty()) return spool;
    spool->segments_.clear();  // They stay on disk.
    return std::unexpected(error);
}

// Of errno. Memory or descriptors may be short, or the disk bad: none of it is a reason to forget
// the rows.
std::string Spool::unreadable(std::string_view name) const {
    const std::string reason = std::strerror(errno);
    return "spool = \"" + options_.directory + "\": " + std::string(name) + " cannot be read (" +
           reason + "): mend that and start again, or move it away and do without the rows in it";
}

// "" or what is wrong.
std::string Spool::lock_directory() {
    const std::string& path = options_.directory;
    const std::string name = "spool = \"" + path + "\" ";
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return name + "cannot be made (" + std::strerror(errno) +
               "): make its parent directory, or name another";
    }
    directory_.reset(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory_.is_open()) {
        return name + "cannot be opened (" + std::strerror(errno) + "): name a directory of ours";
    }
    if (::flock(directory_.get(), LOCK_EX | LOCK_NB) != 0) {
        return name + (errno == EWOULDBLOCK
                           ? "is in use by another exporter or another latmon: name another"
                           : std::string("cannot be locked: ") + std::strerror(errno));
    }
    if (::faccessat(directory_.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) {
        return name + "may not be written by this user: chown it, or name another";
    }
    return "";
}

// "" or what is wrong; so are the next two.
std::string Spool::recover() {
    const std::optional<std::vector<std::uint64_t>> found = segments_in(directory_.get());
    if (!found) return unreadable("the directory");
    const std::vector<std::uint64_t>& numbers = *found;
    const std::optional<std::string> text = read_file(directory_.get(), "position");
    if (!text && errno != ENOENT) return unreadable("position");
    const std::optional<SpoolPosition> known =
        text ? parse_position(*text) : std::optional<SpoolPosition>();
    if (!known && !numbers.empty()) {
        notes_.push_back("spool " + options_.directory +
                         " does not say how far it came: all of it is sent, rows may come twice");
    }
    position_ = known.value_or(SpoolPosition{});
    next_number_ = std::max(numbers.empty() ? 0 : numbers.back(), position_.segment) + 1;
    // Segments that are written from now on are nobody else's.
    raise_doubt(known ? position_.segment : next_number_, position_.block_end_octets);
    doubt_segment_ = position_.doubt_segment;
    doubt_octets_ = position_.doubt_octets;
    for (const std::uint64_t number : numbers) {
        std::string error = recover_segment(number);
        if (!error.empty()) return error;
    }
    if (segments_.empty() || segments_.front().number != position_.segment) {
        start_front();
    }
    counts_.waiting = counts_.recovered;
    update_bytes();
    std::string error = resume_block();
    if (counts_.torn + counts_.corrupt > 0) {
        notes_.push_back("spool " + options_.directory + ": " + std::to_string(counts_.torn) +
                         " record(s) torn by a crash, " + std::to_string(counts_.corrupt) +
                         " place(s) spoiled; the records there are gone");
    }
    return error;
}

std::string Spool::recover_segment(std::uint64_t number) {
    const std::string name = segment_name(number);
    const std::optional<std::string> octets = read_file(directory_.get(), name.c_str());
    if (!octets) return unreadable(name);
    std::uint64_t done = 0;
    if (number < position_.segment) done = octets->size();
    if (number == position_.segment) {
        done = std::min<std::uint64_t>(position_.done_octets, octets->size());
        position_.done_octets = done;
    }
    SegmentReader reader(std::string_view(*octets).substr(done));
    Segment segment{.number = number, .octets = 0, .rows = 0};
    while (const std::optional<SegmentRecord> record = reader.next()) {
        segment.rows += record->rows;
    }
    segment.octets = done + reader.offset();
    counts_.corrupt += reader.corrupt() + (reader.is_corrupt_at_end() ? 1 : 0);
    if (reader.is_torn()) {
        ++counts_.torn;
        // Else it would be counted again by the next of us.
        const Descriptor file(::openat(directory_.get(), name.c_str(), O_WRONLY | O_CLOEXEC));
        static_cast<void>(::ftruncate(file.get(), static_cast<off_t>(segment.octets)));
    }
    if (segment.octets == done) {
        ::unlinkat(directory_.get(), name.c_str(), 0);
        return "";
    }
    counts_.recovered += segment.rows;
    segments_octets_ += segment.octets;
    segments_.push_back(segment);
    return "";
}

// The block that was under way, if all of it is still there, and nothing else.
std::string Spool::resume_block() {
    const std::uint64_t end = std::exchange(position_.block_end_octets, 0);
    const std::string id = std::exchange(position_.block_id, "");
    if (segments_.empty() || end <= position_.done_octets || end > segments_.front().octets) {
        return "";
    }
    if (!read_window(end - position_.done_octets, {})) {
        return unreadable(segment_name(segments_.front().number));
    }
    if (!under_way_.empty() && ends_.back() == end) {
        begin_block(id);
        return "";
    }
    under_way_.clear();
    ends_.clear();
    return "";
}

Spool::~Spool() {
    if (counts_.waiting > 0) return;
    for (const Segment& segment : segments_) {
        ::unlinkat(directory_.get(), segment_name(segment.number).c_str(), 0);
    }
}

}  // namespace latmon::plugins::push
