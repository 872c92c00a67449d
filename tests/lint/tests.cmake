# Lints: each is a script that takes the tree and fails with file and line. tests/lint/selftest.sh plants a mistake for
# each of them. Those that take minutes, and the demo's own check, run under `ctest -C Thorough` (tests/run does).
set(lint ${CMAKE_SOURCE_DIR}/tests/lint)

set(uses "")
foreach(folder IN LISTS modules)
  get_property(used GLOBAL PROPERTY TRABOULE_USES_${folder})
  list(JOIN used " " used)
  string(APPEND uses "${folder}: ${used}\n")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/lint/uses CONTENT "${uses}" @ONLY)

set(lint_layers_arguments ${CMAKE_BINARY_DIR}/lint/uses)
set(lint_headers_arguments ${CMAKE_C_COMPILER})
set(lint_sql_arguments ${CMAKE_C_COMPILER})
set(lint_tidy_arguments ${CMAKE_BINARY_DIR})

foreach(name IN ITEMS layers sizes headers banned sql words stems docs format shell)
  add_test(NAME lint_${name} COMMAND ${lint}/${name}.sh ${CMAKE_SOURCE_DIR} ${lint_${name}_arguments})
  set_tests_properties(lint_${name} PROPERTIES LABELS lint TIMEOUT 120)
endforeach()

if(CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT TRABOULE_FUZZ) # it reads who calls whom from the compiled libraries
  add_test(NAME lint_allocations COMMAND ${NODE} ${lint}/allocations.mjs ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  set_tests_properties(lint_allocations PROPERTIES LABELS lint TIMEOUT 120)
endif()

foreach(name IN ITEMS tidy cppcheck)
  add_test(NAME lint_${name} CONFIGURATIONS Thorough COMMAND ${lint}/${name}.sh ${CMAKE_SOURCE_DIR} ${lint_${name}_arguments})
  set_tests_properties(lint_${name} PROPERTIES LABELS lint TIMEOUT 1800 PROCESSORS 2)
endforeach()

add_test(NAME lint_selftest CONFIGURATIONS Thorough COMMAND ${lint}/selftest.sh)
set_tests_properties(lint_selftest PROPERTIES LABELS lint TIMEOUT 300)

# The command of the README: builds, fills and opens a demo store, and leaves nothing behind.
add_test(NAME demo_check CONFIGURATIONS Thorough COMMAND ${CMAKE_SOURCE_DIR}/demo/run --yes --check)
set_tests_properties(demo_check PROPERTIES LABELS demo TIMEOUT 900 RUN_SERIAL ON)
