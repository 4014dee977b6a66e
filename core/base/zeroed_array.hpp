// SPDX-License-Identifier: Apache-2.0
//
// A table of a fixed size that takes memory as far as it is used, or when it is told to: for what
// must have room for many and mostly holds few, on a thread that does not allocate. Who touches a
// page first gets one of zeros from the kernel, for less than a microsecond; who has only read it,
// once more to write.
#pragma once

#include "base/assert.hpp"

#include <sys/mman.h>
#include <cstddef>
#include <type_traits>

namespace latmon {

// Of elements that are as they begin when all of their octets are 0.
template <typename T>
class ZeroedArray {
public:
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

    // `count` may be 0. [set-up]
    explicit ZeroedArray(std::size_t count) : count_(count) {
        if (count == 0) return;
        void* const memory = ::mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        LATMON_ASSERT(memory != MAP_FAILED);  // Address space only.
        // Zeroing a huge page takes a hundred microseconds, and as much memory as all of this.
        ::madvise(memory, count * sizeof(T), MADV_NOHUGEPAGE);
        elements_ = static_cast<T*>(memory);
    }
    ~ZeroedArray() {
        if (elements_ != nullptr) ::munmap(elements_, count_ * sizeof(T));
    }
    ZeroedArray(const ZeroedArray&) = delete;
    ZeroedArray& operator=(const ZeroedArray&) = delete;

    // Takes the memory of all elements now, none of which has been touched: who fills the table
    // later waits for no page, and makes the process no larger. As much as there is, if there is
    // not enough. (MADV_POPULATE_WRITE, madvise(2), since Linux 5.14) [set-up]
    void take_memory() noexcept {
        if (count_ != 0) ::madvise(elements_, count_ * sizeof(T), MADV_POPULATE_WRITE);
    }

    // `index` < size(). [owner's thread]
    [[nodiscard]] T& operator[](std::size_t index) noexcept { return elements_[index]; }
    [[nodiscard]] const T& operator[](std::size_t index) const noexcept { return elements_[index]; }
    [[nodiscard]] T* data() noexcept { return elements_; }
    [[nodiscard]] const T* data() const noexcept { return elements_; }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }

private:
    T* elements_ = nullptr;
    std::size_t count_;
};

}  // namespace latmon
