# stepper_add_plugin(NAME SOURCES...): a provider plugin NAME.so with exactly one export.
#
# -fno-gnu-unique and the version script keep two generations of one plugin apart when both are loaded; -z defs
# and -z now turn a missing symbol into an error at link or load time instead of an exit at the first call.
function(stepper_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE stepper::sdk)
  set_target_properties(${name} PROPERTIES
    PREFIX "" C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS "${STEPPER_SDK_DIR}/plugin.map")
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(CXX IN_LIST languages)
    target_compile_features(${name} PRIVATE cxx_std_20)
  endif()
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  # A sanitized module takes its runtime from the host, so its symbols stay undefined until it is loaded.
  if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize" AND NOT STEPPER_SANITIZED)
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()
  target_link_options(${name} PRIVATE -Wl,-z,now "-Wl,--version-script=${STEPPER_SDK_DIR}/plugin.map")
endfunction()
