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

include(${CMAKE_CURRENT_LIST_DIR}/program.cmake)
integration(vault_differential pds_vault ${vault_parts})
integration(vault_kill pds_vault tests/integration/vault_common.c)
integration(vault_canary pds_vault tests/integration/vault_common.c)
