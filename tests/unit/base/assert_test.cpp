// SPDX-License-Identifier: Apache-2.0
//
// A failed assertion ends the process and says where, in one line. Each failure happens in a child
// process of the test, whose stderr is a pipe.
#include "base/assert.hpp"

#include "base/fd.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <string>

namespace latmon {
namespace {

struct Ending {
    int signal = 0;  // That ended the child; 0: it ended on its own.
    std::string said;
};

template <typename Body>
Ending run_in_child(Body body) {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe(ends) == 0);
    Fd reader(ends[0]);
    Fd writer(ends[1]);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::signal(SIGABRT, SIG_DFL);  // doctest's own handler would report a failed test.
        ::dup2(writer.get(), STDERR_FILENO);
        body();
        ::_exit(0);
    }
    writer.reset();
    Ending ending;
    char text[1'024];
    for (ssize_t count = 0; (count = ::read(reader.get(), text, sizeof(text))) > 0;) {
        ending.said.append(text, static_cast<std::size_t>(count));
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) ending.signal = WTERMSIG(status);
    return ending;
}

TEST_CASE("assert: what holds is evaluated once and passed over") {
    int count = 0;
    LATMON_ASSERT(++count == 1);
    CHECK(count == 1);
}

TEST_CASE("assert: what does not hold aborts, in every build, with one line that names the place") {
    const int line = __LINE__ + 1;
    const Ending ending = run_in_child([] { LATMON_ASSERT(2 + 2 == 5); });
    CHECK(ending.signal == SIGABRT);
    CHECK(ending.said ==
          std::string(__FILE__) + ":" + std::to_string(line) + ": assertion failed: 2 + 2 == 5\n");
}

TEST_CASE("assert: an expression longer than the line is cut, not written past") {
    const std::string expression(10'000, 'x');
    const Ending ending =
        run_in_child([&] { assertion_failed(expression.c_str(), "file.cpp", 7); });
    CHECK(ending.signal == SIGABRT);
    CHECK(ending.said.size() == 511);
    CHECK(ending.said.starts_with("file.cpp:7: assertion failed: xxx"));
}

}  // namespace
}  // namespace latmon
