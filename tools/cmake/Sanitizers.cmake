# SPDX-License-Identifier: Apache-2.0
#
# LATMON_SANITIZE: a list for -fsanitize=, set by the asan and tsan presets. The first finding ends
# the program: a test that goes on after one proves nothing.
set(LATMON_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=; empty: none")
if(LATMON_SANITIZE)
    add_compile_options(-fsanitize=${LATMON_SANITIZE} -fno-sanitize-recover=all
                        -fno-omit-frame-pointer -g1)  # Lines for the reports, and no more.
    add_link_options(-fsanitize=${LATMON_SANITIZE})
endif()
