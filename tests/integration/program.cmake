# The built program, from outside: each program_<name>.mjs runs it as a person would (node, no packages).
find_program(NODE node REQUIRED)
foreach(name IN ITEMS api canary cli correct door fault kill lock upload)
  add_test(NAME integration_program_${name} COMMAND ${NODE} tests/integration/program_${name}.mjs WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(integration_program_${name} PROPERTIES LABELS integration TIMEOUT ${TEST_TIMEOUT}
    ENVIRONMENT "TRABOULE=$<TARGET_FILE:traboule>")
endforeach()
set_tests_properties(integration_program_kill integration_program_fault PROPERTIES TIMEOUT 2700) # their large size

# The same under valgrind, with the slow checks of a whole run.
add_test(NAME integration_program_valgrind CONFIGURATIONS Thorough COMMAND tests/integration/program_valgrind.sh
         $<TARGET_FILE:traboule> ${CMAKE_SOURCE_DIR}/tests/fixtures/energy WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(integration_program_valgrind PROPERTIES LABELS integration TIMEOUT ${TEST_TIMEOUT})
