# Larger tests, one program each. A row: integration(NAME module sources…); NAME.c is among them.
function(integration name owner)
  add_executable(${name} tests/integration/${name}.c ${ARGN} ${harness_sources})
  target_link_libraries(${name} PRIVATE ${owner} PkgConfig::cmocka)
  target_compile_definitions(${name} PRIVATE TEST_ROOT="${CMAKE_SOURCE_DIR}")
  add_test(NAME integration_${name} COMMAND ${name})
  set_tests_properties(integration_${name} PROPERTIES LABELS integration TIMEOUT ${TEST_TIMEOUT})
endfunction()

set(vault_parts tests/integration/vault_common.c tests/integration/vault_disk.c tests/integration/vault_disk_shm.c)
integration(vault_powercut pds_vault ${vault_parts})
integration(vault_damage pds_vault ${vault_parts})
integration(vault_fault pds_vault ${vault_parts})
integration(vault_care pds_vault ${vault_parts})
integration(vault_migrate pds_vault ${vault_parts})

include(${CMAKE_CURRENT_LIST_DIR}/program.cmake)
integration(vault_differential pds_vault ${vault_parts})
integration(vault_kill pds_vault tests/integration/vault_common.c)
integration(vault_canary pds_vault tests/integration/vault_common.c)

# age: its public vectors through a small program, and the age program of others.
add_executable(age_program tests/integration/age_program.c)
target_link_libraries(age_program PRIVATE pds_crypto)
add_test(NAME integration_age_vectors COMMAND ${NODE} tests/integration/age_vectors.mjs WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(integration_age_vectors PROPERTIES LABELS integration TIMEOUT ${TEST_TIMEOUT}
  ENVIRONMENT "AGE_PROGRAM=$<TARGET_FILE:age_program>")
