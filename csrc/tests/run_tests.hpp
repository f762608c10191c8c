#pragma once
int run_run_tests();
