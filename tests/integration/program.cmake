# The built program, from outside: each program_<name>.mjs runs it as a person would (node; no packages but those that stand for stock readers).
find_program(NODE node REQUIRED)
foreach(name IN ITEMS api backup bomb canary cli correct damage documents door erase export fault full guess kill lock many rekey slow told trail upload)
  add_test(NAME integration_program_${name} COMMAND ${NODE} tests/integration/program_${name}.mjs WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(integration_program_${name} PROPERTIES LABELS integration TIMEOUT ${TEST_TIMEOUT}
    ENVIRONMENT "TRABOULE=$<TARGET_FILE:traboule>")
endforeach()
foreach(name IN ITEMS backup bomb damage fault full guess kill rekey slow) # their large sizes
  set_tests_properties(integration_program_${name} PROPERTIES TIMEOUT 2700)
endforeach()

# The same under valgrind, with the slow checks of a whole run.
add_test(NAME integration_program_valgrind CONFIGURATIONS Thorough COMMAND tests/integration/program_valgrind.sh
         $<TARGET_FILE:traboule> ${CMAKE_SOURCE_DIR}/tests/fixtures/energy WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(integration_program_valgrind PROPERTIES LABELS integration TIMEOUT ${TEST_TIMEOUT})
