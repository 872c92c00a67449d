# Tests are found by their names: tests/unit/test_<stem>.c checks <stem>.c and links the module that owns it.
pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET cmocka)

# Where gcc 12's analyser imagines a null pointer or a leak, since it does not see that a failing assertion of
# cmocka never returns. All else is read by it.
if(TRABOULE_ANALYZE)
  set_source_files_properties(tests/unit/test_vault_copy.c tests/unit/test_vault_writer.c
    tests/integration/vault_disk.c PROPERTIES COMPILE_OPTIONS -fno-analyzer)
endif()

file(GLOB harness_sources CONFIGURE_DEPENDS tests/harness/*.c)
list(FILTER harness_sources EXCLUDE REGEX faultshim)

# A failing disk for the built program, which loads it before libc.
if(NOT TRABOULE_SANITIZE)
  add_library(faultshim MODULE tests/harness/faultshim.c)
  target_link_libraries(faultshim PRIVATE ${CMAKE_DL_LIBS})
  target_compile_options(faultshim PRIVATE -U_FORTIFY_SOURCE) # it takes the names that libc's headers would replace
endif()
set(TEST_TIMEOUT 300)

get_property(modules GLOBAL PROPERTY TRABOULE_MODULES)
function(module_of stem out)
  foreach(folder IN LISTS modules)
    if(EXISTS ${CMAKE_SOURCE_DIR}/${folder}/${stem}.c OR EXISTS ${CMAKE_SOURCE_DIR}/${folder}/${stem}.h)
      string(REPLACE "/" "_" name ${folder})
      set(${out} ${name} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "tests/unit/test_${stem}.c: no module holds ${stem}.c")
endfunction()

file(GLOB unit_tests CONFIGURE_DEPENDS tests/unit/test_*.c)
foreach(test IN LISTS unit_tests)
  get_filename_component(name ${test} NAME_WE)
  string(REGEX REPLACE "^test_" "" stem ${name})
  module_of(${stem} owner)
  add_executable(${name} ${test} ${harness_sources})
  target_link_libraries(${name} PRIVATE ${owner} PkgConfig::cmocka)
  if(owner MATCHES "pds_(vault|audit)") # for the vaults of tests (tests/harness/tmpvault.h), whose registry is in pds_store
    target_link_libraries(${name} PRIVATE pds_store)
  endif()
  target_compile_definitions(${name} PRIVATE TEST_ROOT="${CMAKE_SOURCE_DIR}")
  add_test(NAME unit_${stem} COMMAND ${name})
  set_tests_properties(unit_${stem} PROPERTIES LABELS unit TIMEOUT ${TEST_TIMEOUT})
endforeach()

# Larger tests bring their own rows: one <folder>/tests.cmake each.
foreach(part IN ITEMS integration lint fuzz e2e bench)
  include(${CMAKE_SOURCE_DIR}/tests/${part}/tests.cmake OPTIONAL)
endforeach()
