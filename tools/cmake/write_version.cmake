# SPDX-License-Identifier: Apache-2.0
#
# Writes the source that says which version and commit this is, if it says another one or is not
# there:
#
#   cmake -D TREE=folder -D VERSION=0.1.0 -D OUT=version.cpp -P write_version.cmake
#
# There is no commit where the tree is no clone by itself (a tarball, also one that was unpacked in
# somebody's clone), and where git is missing or refuses it (it is another user's: safe.directory).
find_program(git git)

function(ask_git out)
    set(${out} "" PARENT_SCOPE)
    if(NOT git OR NOT EXISTS ${TREE}/.git)
        return()
    endif()
    # Whoever works in the tree meanwhile must not find its index locked.
    execute_process(COMMAND ${git} --no-optional-locks -C ${TREE} ${ARGN}
                    OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE
                    RESULT_VARIABLE result ERROR_QUIET)
    if(result EQUAL 0)
        set(${out} "${answer}" PARENT_SCOPE)
    endif()
endfunction()

ask_git(commit rev-parse --short=12 HEAD)
# Of what programs and figures are made; a source that git does not know is compiled as well.
ask_git(changes status --porcelain -- CMakeLists.txt core include perf plugins tools)
set(text ${VERSION})
if(commit AND changes)
    string(APPEND text " (${commit}+changes)")
elseif(commit)
    string(APPEND text " (${commit})")
endif()

set(written "")
if(EXISTS ${OUT})
    file(READ ${OUT} written)
endif()
set(source "// Written by tools/cmake/write_version.cmake.
#include \"base/version.hpp\"

const char* latmon::version_text() noexcept {
    return \"${text}\";
}
")
if(NOT written STREQUAL source)
    file(WRITE ${OUT} "${source}")
endif()
