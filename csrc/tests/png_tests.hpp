#pragma once
int run_png_tests();
