#pragma once
int run_raster_tests();
