// SPDX-License-Identifier: Apache-2.0
//
// The least code that does what latmon does, for ratios in the same run: a thread that sends on one
// CPU and a thread that gives back on another, over loopback. No packet format, no schedule, no
// samples; nothing is checked but that as many come back as were sent.
//
//   floor pingpong   one datagram at a time, both threads asking without end: the least round trip
//   floor capacity   as many at once as the ring takes, over a socket per target, the way that
//                    latmon's own ring works: registered sockets, multishot receives into shared
//                    buffers, sends that share a call, and with --stamps the kernel's time of each
//                    departure and arrival
//   floor paced      the same, but --group at once at their time, --rate a second in all, whatever
//                    has come back; it sleeps in between, and reads what has come when it wakes for
//                    the next: one system call for each group
//
// JSON on standard output.
#include <arpa/inet.h>
#include <liburing.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t packet_bytes = 44;
constexpr std::uint32_t batch = 32;           // Sends per system call.
constexpr std::uint32_t under_way_max = 256;  // What is on its way at once.
constexpr std::uint32_t buffers = 512;
constexpr std::uint32_t buffer_bytes = 1'024;
constexpr std::uint32_t submission_entries = 1'024;
constexpr std::uint32_t completion_entries = 16'384;
// SOCKET_URING_OP_TX_TIMESTAMP of linux/io_uring.h, Linux 6.17.
constexpr std::uint32_t op_tx_timestamp = 4;
// Nothing has come for so long: what is under way is lost.
constexpr auto patience = std::chrono::milliseconds(100);

struct Options {
    std::string_view mode;
    int seconds = 2;
    std::uint32_t sockets = 1;
    std::int64_t rate_per_s = 10'000;
    std::int64_t group = 1;
    bool is_stamped = false;
    int near_cpu = 1;
    int far_cpu = 0;
};

[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::exit(1);
}

void check(bool is_good, const char* what) {
    if (!is_good) fail(what);
}

void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu), &set);
    check(::sched_setaffinity(0, sizeof(set), &set) == 0, "floor: cannot run on that CPU");
}

int open_socket(int flags) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | flags, 0);
    check(fd >= 0, "floor: no socket: raise 'ulimit -n'");
    return fd;
}

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// -- The far end --------------------------------------------------------------------------------

// Gives back whatever comes, many at a call, and never sleeps.
class Echo {
public:
    explicit Echo(int cpu) : fd_(open_socket(SOCK_NONBLOCK)) {
        const int room = 4 << 20;
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(address_);
        check(::bind(fd_, generic(), length) == 0, "floor: cannot bind");
        check(::getsockname(fd_, generic(), &length) == 0, "floor: no address");
        thread_ = std::thread([this, cpu] {
            pin(cpu);
            run();
        });
    }
    ~Echo() {
        stops_ = true;
        thread_.join();
        ::close(fd_);
    }
    Echo(const Echo&) = delete;
    Echo& operator=(const Echo&) = delete;

    void connect(int fd) {
        check(::connect(fd, generic(), sizeof(address_)) == 0, "floor: cannot connect");
    }

private:
    sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address_); }

    void run() {
        std::array<mmsghdr, 64> messages{};
        std::array<iovec, 64> parts{};
        std::array<sockaddr_in, 64> peers{};
        std::array<std::array<std::byte, 128>, 64> data{};
        while (!stops_.load(std::memory_order_relaxed)) {
            for (std::size_t index = 0; index < messages.size(); ++index) {
                parts[index] = {data[index].data(), data[index].size()};
                messages[index].msg_hdr = {};
                messages[index].msg_hdr.msg_iov = &parts[index];
                messages[index].msg_hdr.msg_iovlen = 1;
                messages[index].msg_hdr.msg_name = &peers[index];
                messages[index].msg_hdr.msg_namelen = sizeof(peers[index]);
            }
            const int count =
                ::recvmmsg(fd_, messages.data(), messages.size(), MSG_DONTWAIT, nullptr);
            if (count <= 0) continue;
            for (int index = 0; index < count; ++index) {
                const auto at = static_cast<std::size_t>(index);
                parts[at].iov_len = messages[at].msg_len;
            }
            ::sendmmsg(fd_, messages.data(), static_cast<unsigned>(count), MSG_DONTWAIT);
        }
    }

    int fd_;
    sockaddr_in address_{};
    std::atomic<bool> stops_ = false;
    std::thread thread_;
};

// -- One at a time ------------------------------------------------------------------------------

int ping_pong(const Options& options) {
    Echo echo(options.far_cpu);
    pin(options.near_cpu);
    const int fd = open_socket(SOCK_NONBLOCK);
    echo.connect(fd);
    std::vector<std::int64_t> rtts_ns;
    rtts_ns.reserve(static_cast<std::size_t>(options.seconds) * 500'000);
    std::array<std::byte, packet_bytes> packet{};
    const Clock::time_point start = Clock::now();
    while (seconds_since(start) < options.seconds) {
        const Clock::time_point sent = Clock::now();
        if (::send(fd, packet.data(), packet.size(), 0) < 0) continue;
        while (::recv(fd, packet.data(), packet.size(), 0) < 0 && Clock::now() - sent < patience) {
        }
        rtts_ns.push_back((Clock::now() - sent) / std::chrono::nanoseconds(1));
    }
    ::close(fd);
    std::sort(rtts_ns.begin(), rtts_ns.end());
    const auto at = [&](double share) {
        return rtts_ns[static_cast<std::size_t>(share * static_cast<double>(rtts_ns.size() - 1))];
    };
    std::printf(
        "{\"mode\": \"pingpong\", \"round_trips_per_s\": %.0f, \"rtt_min_ns\": %ld, "
        "\"rtt_p50_ns\": %ld, \"rtt_p99_ns\": %ld}\n",
        static_cast<double>(rtts_ns.size()) / options.seconds, rtts_ns.front(), at(0.5), at(0.99));
    return 0;
}

// -- As many as the ring takes ------------------------------------------------------------------

class Load {
public:
    Load(const Options& options, Echo& echo) : options_(options), fds_(options.sockets) {
        for (int& fd : fds_) {
            fd = open_socket(0);
            // What latmon reads of each packet beside its octets.
            const int on = 1;
            ::setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on));
            ::setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
            ::setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
            const int stamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE |
                               SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID |
                               SOF_TIMESTAMPING_OPT_TSONLY;
            if (options.is_stamped) {
                ::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof(stamps));
            }
            echo.connect(fd);
        }
        set_up_ring();
        set_up_buffers();
        for (std::uint32_t index = 0; index < fds_.size(); ++index) {
            receive(index);
            if (options.is_stamped) want_stamps(index);
        }
        ::io_uring_submit(&ring_);
    }
    ~Load() {
        ::io_uring_queue_exit(&ring_);
        for (const int fd : fds_)
            ::close(fd);
    }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    void run() {
        const Clock::time_point start = Clock::now();
        const double cpu_before = cpu_seconds();
        Clock::time_point heard = start;
        double passed = 0;
        while ((passed = seconds_since(start)) < options_.seconds) {
            std::uint32_t prepared = 0;
            for (; prepared < batch && sent_ - answered_ - lost_ < under_way_max; ++prepared)
                send();
            ++calls_;
            ::io_uring_submit_and_get_events(&ring_);
            const std::uint64_t before = answered_;
            take_completions();
            const Clock::time_point now = Clock::now();
            if (answered_ != before) heard = now;
            if (now - heard > patience) lost_ = sent_ - answered_;
        }
        report(passed, cpu_seconds() - cpu_before);
    }

    void run_paced() {
        const auto gap =
            std::chrono::nanoseconds(1'000'000'000 * options_.group / options_.rate_per_s);
        const Clock::time_point start = Clock::now();
        const Clock::time_point end = start + std::chrono::seconds(options_.seconds);
        const double cpu_before = cpu_seconds();
        for (Clock::time_point due = start; due < end && Clock::now() < end; due += gap) {
            sleep_until(due);
            take_completions();
            for (std::int64_t index = 0; index < options_.group; ++index)
                send();
        }
        const double passed = seconds_since(start);
        sleep_until(Clock::now() + patience);
        take_completions();
        lost_ = sent_ - answered_;
        report(passed, cpu_seconds() - cpu_before);
    }

private:
    enum Kind : std::uint64_t { receive_kind = 1, stamp_kind, send_kind };

    void set_up_ring() {
        io_uring_params params{};
        params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                       IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_CQSIZE |
                       (options_.is_stamped ? IORING_SETUP_CQE32 : 0U);
        params.cq_entries = completion_entries;
        const int result = ::io_uring_queue_init_params(submission_entries, &ring_, &params);
        check(result == 0, "floor: no io_uring");
        ::io_uring_register_ring_fd(&ring_);
        check(
            ::io_uring_register_files(&ring_, fds_.data(), static_cast<unsigned>(fds_.size())) == 0,
            "floor: cannot register sockets: raise 'ulimit -n'");
    }

    void set_up_buffers() {
        void* const memory = ::mmap(nullptr, buffers * sizeof(io_uring_buf), PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        check(memory != MAP_FAILED, "floor: no memory");
        buffer_ring_ = static_cast<io_uring_buf_ring*>(memory);
        io_uring_buf_reg registration{};
        registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
        registration.ring_entries = buffers;
        check(::io_uring_register_buf_ring(&ring_, &registration, 0) == 0, "floor: no buffers");
        ::io_uring_buf_ring_init(buffer_ring_);
        for (std::uint32_t index = 0; index < buffers; ++index)
            give_back(index);
        header_.msg_namelen = sizeof(sockaddr_in6);
        header_.msg_controllen = 256;
    }

    io_uring_sqe* entry(std::uint32_t socket, Kind kind) {
        io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
        if (sqe == nullptr) {
            ::io_uring_submit(&ring_);
            sqe = ::io_uring_get_sqe(&ring_);
        }
        data_of_next_ = kind | (std::uint64_t{socket} << 8U);
        return sqe;
    }
    void finish(io_uring_sqe* sqe) const {
        sqe->flags |= IOSQE_FIXED_FILE;
        sqe->user_data = data_of_next_;
    }

    void receive(std::uint32_t socket) {
        io_uring_sqe* const sqe = entry(socket, receive_kind);
        ::io_uring_prep_recvmsg_multishot(sqe, static_cast<int>(socket), &header_, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        finish(sqe);
    }
    void want_stamps(std::uint32_t socket) {
        io_uring_sqe* const sqe = entry(socket, stamp_kind);
        ::io_uring_prep_rw(IORING_OP_URING_CMD, sqe, static_cast<int>(socket), nullptr, 0, 0);
        sqe->cmd_op = op_tx_timestamp;
        finish(sqe);
    }
    void send() {
        io_uring_sqe* const sqe = entry(next_, send_kind);
        ::io_uring_prep_send(sqe, static_cast<int>(next_), packet_.data(), packet_.size(),
                             MSG_DONTWAIT);
        finish(sqe);
        ++sent_;
        if (++next_ == fds_.size()) next_ = 0;
    }

    void give_back(std::uint32_t index) {
        ::io_uring_buf_ring_add(buffer_ring_, pool_.data() + std::size_t{index} * buffer_bytes,
                                buffer_bytes, static_cast<std::uint16_t>(index),
                                ::io_uring_buf_ring_mask(buffers), 0);
        ::io_uring_buf_ring_advance(buffer_ring_, 1);
    }

    // Submits what is prepared, and waits for more than can come.
    void sleep_until(Clock::time_point due) {
        const std::int64_t left_ns =
            std::max<std::int64_t>((due - Clock::now()) / std::chrono::nanoseconds(1), 0);
        __kernel_timespec limit{left_ns / 1'000'000'000, left_ns % 1'000'000'000};
        io_uring_cqe* ignored = nullptr;
        ++calls_;
        ::io_uring_submit_and_wait_timeout(&ring_, &ignored, completion_entries, &limit, nullptr);
    }

    void take_completions() {
        unsigned head = 0;
        unsigned seen = 0;
        io_uring_cqe* cqe = nullptr;
        io_uring_for_each_cqe(&ring_, head, cqe) {
            ++seen;
            const std::uint64_t data = cqe->user_data;
            cqe->user_data = 0;  // Linux 6.18 may leave out a place of a ring of 32-octet entries.
            const auto socket = static_cast<std::uint32_t>(data >> 8U);
            const bool goes_on = (cqe->flags & IORING_CQE_F_MORE) != 0;
            switch (data & 0xFFU) {
                case receive_kind:
                    if ((cqe->flags & IORING_CQE_F_BUFFER) != 0) {
                        ++answered_;
                        give_back(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
                    }
                    if (!goes_on) receive(socket);
                    break;
                case stamp_kind:
                    ++stamps_;
                    if (!goes_on) refused_ = true;
                    break;
                default:
                    break;
            }
        }
        ::io_uring_cq_advance(&ring_, seen);
        if (refused_) {
            std::fputs("floor: --stamps needs Linux 6.17\n", stderr);
            std::exit(1);
        }
    }

    void report(double seconds, double cpu) const {
        const auto answered = static_cast<double>(answered_);
        std::printf(
            "{\"mode\": \"%.*s\", \"sockets\": %zu, \"is_stamped\": %s, "
            "\"round_trips_per_s\": %.0f, \"stamps_per_s\": %.0f, \"lost\": %lu, "
            "\"cpu_ns_per_round_trip\": %.0f, \"system_calls_per_round_trip\": %.4f}\n",
            static_cast<int>(options_.mode.size()), options_.mode.data(), fds_.size(),
            options_.is_stamped ? "true" : "false", answered / seconds,
            static_cast<double>(stamps_) / seconds, lost_, cpu * 1e9 / answered,
            static_cast<double>(calls_) / answered);
    }

    const Options& options_;
    std::vector<int> fds_;
    io_uring ring_{};
    io_uring_buf_ring* buffer_ring_ = nullptr;
    std::vector<std::byte> pool_ = std::vector<std::byte>(std::size_t{buffers} * buffer_bytes);
    msghdr header_{};
    std::array<std::byte, packet_bytes> packet_{};
    std::uint64_t data_of_next_ = 0;
    std::uint32_t next_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t lost_ = 0;
    std::uint64_t stamps_ = 0;
    std::uint64_t calls_ = 0;
    bool refused_ = false;
};

int run_load(const Options& options) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    Echo echo(options.far_cpu);
    pin(options.near_cpu);
    Load load(options, echo);
    options.mode == "paced" ? load.run_paced() : load.run();
    return 0;
}

// -1: not a number.
int number(std::string_view word) {
    int value = -1;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    return error == std::errc{} && end == word.data() + word.size() ? value : -1;
}

int usage() {
    std::fputs(
        "usage: floor pingpong|capacity|paced [--seconds S] [--sockets N] [--stamps]\n"
        "             [--rate N] [--group N] [--near-cpu C] [--far-cpu C]\n",
        stderr);
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    const std::span<char*> words(argv, static_cast<std::size_t>(argc));
    if (words.size() < 2) return usage();
    Options options{.mode = words[1]};
    for (std::size_t at = 2; at < words.size(); ++at) {
        const std::string_view word = words[at];
        if (word == "--stamps") {
            options.is_stamped = true;
            continue;
        }
        if (at + 1 == words.size()) return usage();
        const int value = number(words[++at]);
        if (word == "--seconds" && value > 0) {
            options.seconds = value;
        } else if (word == "--sockets" && value > 0) {
            options.sockets = static_cast<std::uint32_t>(value);
        } else if (word == "--rate" && value > 0) {
            options.rate_per_s = value;
        } else if (word == "--group" && value > 0) {
            options.group = value;
        } else if (word == "--near-cpu" && value >= 0) {
            options.near_cpu = value;
        } else if (word == "--far-cpu" && value >= 0) {
            options.far_cpu = value;
        } else {
            return usage();
        }
    }
    if (options.mode == "pingpong") return ping_pong(options);
    if (options.mode == "capacity" || options.mode == "paced") return run_load(options);
    return usage();
}
