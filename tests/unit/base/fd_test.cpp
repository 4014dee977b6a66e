// SPDX-License-Identifier: Apache-2.0
//
// Fd closes what it owns once, whichever way it is moved. Asks the kernel, not the object.
#include "base/fd.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <type_traits>

namespace latmon {
namespace {

Fd open_something() {
    Fd fd(::eventfd(0, EFD_CLOEXEC));
    REQUIRE(fd.is_open());
    return fd;
}

bool is_open_in_kernel(int number) {
    return ::fcntl(number, F_GETFD) != -1;
}

TEST_CASE("fd: the end of its scope closes it") {
    int number = -1;
    {
        const Fd fd = open_something();
        number = fd.get();
        CHECK(is_open_in_kernel(number));
    }
    CHECK_FALSE(is_open_in_kernel(number));
}

TEST_CASE("fd: a moved-from one owns nothing, the new one everything") {
    Fd first = open_something();
    const int number = first.get();
    Fd second(std::move(first));
    CHECK_FALSE(first.is_open());  // NOLINT(bugprone-use-after-move): that is the claim.
    CHECK(second.get() == number);
    first.reset();
    CHECK(is_open_in_kernel(number));
}

TEST_CASE("fd: assignment closes what was owned before") {
    Fd kept = open_something();
    Fd other = open_something();
    const int closed = kept.get();
    const int number = other.get();
    kept = std::move(other);
    CHECK(kept.get() == number);
    CHECK(is_open_in_kernel(number));
    CHECK_FALSE(is_open_in_kernel(closed));
}

TEST_CASE("fd: assignment to itself changes nothing") {
    Fd fd = open_something();
    const int number = fd.get();
    Fd& alias = fd;
    fd = std::move(alias);
    CHECK(fd.get() == number);
    CHECK(is_open_in_kernel(number));
}

TEST_CASE("fd: a released one stays open and is the caller's") {
    Fd fd = open_something();
    const int number = fd.release();
    CHECK_FALSE(fd.is_open());
    fd.reset();
    CHECK(is_open_in_kernel(number));
    ::close(number);
}

TEST_CASE("fd: none is not descriptor 0") {
    const Fd none;
    CHECK_FALSE(none.is_open());
    CHECK(none.get() == -1);
    CHECK_FALSE(std::is_copy_constructible_v<Fd>);
    CHECK_FALSE(std::is_copy_assignable_v<Fd>);
}

}  // namespace
}  // namespace latmon
