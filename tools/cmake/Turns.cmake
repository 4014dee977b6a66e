# SPDX-License-Identifier: Apache-2.0
#
# Which tests may run side by side, in the 12 slots that tools/test gives to ctest. Every directory
# that adds tests includes this file: its tests are ordinary then, unless they say otherwise.
#
#   ordinary     3 slots   three at a time: most of them wait for something
#   quiet        9 slots   one at a time, beside nothing but the background: they say that nothing
#                          may be lost, and a machine that is busy elsewhere does lose datagrams
#   background   1 slot    three at a time, in three lanes, and first: programs that only compute,
#                          and only when nobody else wants to (tests/support/background)
#
# Quiet tests come before ordinary ones, or they would wait for nine free slots until the end.
function(latmon_quiet)
    set_tests_properties(${ARGN} PROPERTIES PROCESSORS 9 COST 1000)
endfunction()

function(latmon_background)
    foreach(test IN LISTS ARGN)
        get_property(last GLOBAL PROPERTY latmon_background_lane)
        math(EXPR lane "(0${last} + 1) % 3")
        set_property(GLOBAL PROPERTY latmon_background_lane ${lane})
        set_tests_properties(${test} PROPERTIES
            PROCESSORS 1 COST 2000 RESOURCE_LOCK background_${lane})
    endforeach()
endfunction()

function(latmon_ordinary)
    get_property(tests DIRECTORY PROPERTY TESTS)
    foreach(test IN LISTS tests)
        get_property(is_weighed TEST ${test} PROPERTY PROCESSORS SET)
        if(NOT is_weighed)
            set_tests_properties(${test} PROPERTIES PROCESSORS 3)
        endif()
    endforeach()
endfunction()

cmake_language(DEFER CALL latmon_ordinary)
