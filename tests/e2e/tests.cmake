# The owner's pages: their types, style and words; their journeys in a real browser against the real program.
find_program(NPM npm REQUIRED)
add_test(NAME pages_check COMMAND ${NPM} run --silent check WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(pages_check PROPERTIES LABELS lint TIMEOUT 120)
foreach(name IN ITEMS owner keeper house)
  add_test(NAME e2e_${name} COMMAND ${NODE} tests/e2e/${name}.mjs WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(e2e_${name} PROPERTIES LABELS e2e TIMEOUT ${TEST_TIMEOUT} RUN_SERIAL TRUE
                       ENVIRONMENT "TRABOULE=$<TARGET_FILE:traboule>")
endforeach()
