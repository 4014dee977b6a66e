// SPDX-License-Identifier: Apache-2.0
//
// Opens the io_uring of a core-thread, and says in one line why it cannot be had and what to do
// about it. Allocates, and reads /proc for the cause: before the start barrier only.
#include "base/assert.hpp"
#include "base/limits.hpp"
#include "reactor/ring_uring.hpp"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

namespace latmon {
namespace {

// SINGLE_ISSUER, DEFER_TASKRUN: completions are worked on when we ask for them, not in the middle
// of our own code. TASKRUN_FLAG: shared memory says when there are some. All of Linux 6.1.
constexpr unsigned setup_flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL |
                                 IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;

// IORING_FEAT_MIN_TIMEOUT of linux/io_uring.h, Linux 6.12; Debian 12's has it not yet.
constexpr unsigned feature_min_timeout = 1U << 15U;

std::string kernel_release() {
    utsname name{};
    return ::uname(&name) == 0 ? name.release : "unknown";
}

// The value of kernel.io_uring_disabled (Linux 6.6), or -1 if there is no such setting.
int io_uring_disabled() {
    std::ifstream file("/proc/sys/kernel/io_uring_disabled");
    int value = -1;
    file >> value;
    return file ? value : -1;
}

bool has_seccomp_filter() {
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("Seccomp:", 0) == 0) return line.find('2') != std::string::npos;
    }
    return false;
}

std::unexpected<Error> fail_refused(int error_number) {
    const int disabled = io_uring_disabled();
    if (disabled > 0 && error_number == EPERM) {
        return fail(ExitCode::permission,
                    "io_uring is switched off on this host (kernel.io_uring_disabled = " +
                        std::to_string(disabled) + "): run 'sysctl kernel.io_uring_disabled=0'" +
                        (disabled == 1 ? ", run latmon as root, or put its group into "
                                         "kernel.io_uring_group"
                                       : ""));
    }
    if (has_seccomp_filter()) {
        return fail_errno(ExitCode::permission,
                          "io_uring is refused by this container's or unit's seccomp filter: allow "
                          "io_uring_setup, io_uring_enter and io_uring_register in its profile",
                          error_number);
    }
    return fail_errno(ExitCode::permission,
                      "io_uring is refused by the kernel (Linux " + kernel_release() +
                          "): latmon needs Linux 6.1 or newer, built with CONFIG_IO_URING",
                      error_number);
}

std::unexpected<Error> fail_setup(int error_number) {
    switch (error_number) {
        case EPERM:
        case EACCES:
        case ENOSYS:
            return fail_refused(error_number);
        case EINVAL:
            return fail_errno(ExitCode::permission,
                              "this kernel's io_uring is too old (Linux " + kernel_release() +
                                  "): latmon needs Linux 6.1 or newer",
                              error_number);
        case ENOMEM: {
            rlimit limit{};
            ::getrlimit(RLIMIT_MEMLOCK, &limit);
            return fail_errno(ExitCode::permission,
                              "io_uring may not lock enough memory (RLIMIT_MEMLOCK is " +
                                  std::to_string(limit.rlim_cur) +
                                  " octets): raise it with 'ulimit -l' or LimitMEMLOCK=",
                              error_number);
        }
        default:
            return fail_errno(ExitCode::permission, "io_uring cannot be set up", error_number);
    }
}

}  // namespace

Result<std::unique_ptr<UringRing>> UringRing::open(const UringOptions& options) {
    std::unique_ptr<UringRing> ring(new UringRing(options));
    const Result<void> result = ring->set_up(options);
    if (!result) return std::unexpected(result.error());
    return ring;
}

// Completions of 32 octets are what the kernel's stamps come in: see uring_stamps.hpp.
int UringRing::set_up_ring(bool has_large_completions) noexcept {
    io_uring_params params{};
    params.flags = setup_flags | (has_large_completions ? IORING_SETUP_CQE32 : 0U);
    params.cq_entries = limits::completion_entries;
    return ::io_uring_queue_init_params(limits::submission_entries, &ring_, &params);
}

Result<void> UringRing::set_up(const UringOptions& options) {
    int result = -EINVAL;
    if (options.best_tx_way == TxStampWay::ring) result = set_up_ring(true);
    if (result == -EINVAL) result = set_up_ring(false);
    if (result < 0) return fail_setup(-result);
    has_ring_ = true;
    send_headers_.resize(ring_.sq.ring_entries);
    connect_addresses_.resize(ring_.sq.ring_entries);
    ability_ = probe_stamps(options);
    if (ability_.tx != TxStampWay::none) key_counts_.emplace(slots_.size());
    ::io_uring_register_ring_fd(&ring_);  // Saves a lookup per call; optional.
    result = ::io_uring_register_files_sparse(&ring_, static_cast<unsigned>(slots_.size()));
    if (result < 0) {
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        return fail_errno(ExitCode::permission,
                          "a core needs up to " + std::to_string(slots_.size()) +
                              " sockets, but RLIMIT_NOFILE is " + std::to_string(limit.rlim_cur) +
                              ": raise it with 'ulimit -n' or LimitNOFILE=",
                          -result);
    }
    has_patience_ = (ring_.features & feature_min_timeout) != 0;
    wake_fd_ = Fd(::eventfd(0, EFD_CLOEXEC));
    if (!wake_fd_.is_open()) {
        return fail_errno(ExitCode::permission, "no eventfd is to be had: raise 'ulimit -n'",
                          errno);
    }
    Result<void> buffers = set_up_buffers();
    if (!buffers) return buffers;
    prepare_wake_read();
    submit();
    return {};
}

Result<void> UringRing::set_up_buffers() {
    static_assert(std::has_single_bit(limits::receive_buffers));
    const std::size_t ring_bytes = limits::receive_buffers * sizeof(io_uring_buf);
    const std::size_t pool_bytes =
        std::size_t{limits::receive_buffers} * limits::receive_buffer_bytes;
    void* const ring = ::mmap(nullptr, ring_bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    void* const pool = ::mmap(nullptr, pool_bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (ring != MAP_FAILED) buffer_ring_ = static_cast<io_uring_buf_ring*>(ring);
    if (pool != MAP_FAILED) buffers_ = static_cast<std::byte*>(pool);
    if (buffer_ring_ == nullptr || buffers_ == nullptr) {
        return fail_errno(ExitCode::permission, "no memory for receive buffers", errno);
    }
    // A huge page would make a small datagram cost 2 MiB.
    ::madvise(buffers_, pool_bytes, MADV_NOHUGEPAGE);

    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(ring);
    registration.ring_entries = limits::receive_buffers;
    registration.bgid = 0;
    const int result = ::io_uring_register_buf_ring(&ring_, &registration, 0);
    if (result < 0) return fail_setup(-result);
    ::io_uring_buf_ring_init(buffer_ring_);
    for (std::uint32_t index = 0; index < limits::receive_buffers; ++index) {
        // The first page is touched now, so that a receive takes no page fault.
        buffers_[std::size_t{index} * limits::receive_buffer_bytes] = std::byte{0};
        release_buffer(static_cast<std::uint16_t>(index));
    }
    receive_header_.msg_namelen = limits::receive_name_bytes;
    receive_header_.msg_controllen = limits::receive_control_bytes;
    return {};
}

UringRing::~UringRing() {
    if (has_ring_) ::io_uring_queue_exit(&ring_);
    for (const Slot& slot : slots_) {
        if (slot.fd >= 0) ::close(slot.fd);
    }
    if (buffer_ring_ != nullptr) {
        ::munmap(buffer_ring_, limits::receive_buffers * sizeof(io_uring_buf));
    }
    if (buffers_ != nullptr) {
        ::munmap(buffers_, std::size_t{limits::receive_buffers} * limits::receive_buffer_bytes);
    }
}

}  // namespace latmon
