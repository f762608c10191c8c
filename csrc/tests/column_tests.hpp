#pragma once
int run_column_tests();
