# find_package(stepper-sdk): stepper::sdk and stepper_add_plugin().
set(STEPPER_SDK_DIR "${CMAKE_CURRENT_LIST_DIR}")
include("${CMAKE_CURRENT_LIST_DIR}/stepper-sdk-targets.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/StepperPlugin.cmake")
